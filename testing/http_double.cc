#include "testing/http_double.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace sluice {
namespace {

std::string Decoded(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out.push_back(
          static_cast<char>(std::strtol(text.substr(i + 1, 2).c_str(), nullptr, 16)));
      i += 2;
    } else {
      out.push_back(text[i]);
    }
  }
  return out;
}

std::string LowerCase(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool Send(int connection, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(connection, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

/// What has come and is not read yet.
class Incoming {
 public:
  explicit Incoming(int connection) : connection_(connection) {}

  /// Up to and without `end`; false when the client is gone.
  bool Until(const std::string& end, std::string* out) {
    size_t at = 0;
    while ((at = bytes_.find(end)) == std::string::npos) {
      if (!More()) return false;
    }
    *out = bytes_.substr(0, at);
    bytes_.erase(0, at + end.size());
    return true;
  }
  bool Exactly(size_t size, std::string* out) {
    while (bytes_.size() < size) {
      if (!More()) return false;
    }
    *out = bytes_.substr(0, size);
    bytes_.erase(0, size);
    return true;
  }
  bool More() {
    char piece[64 << 10];
    const ssize_t got = recv(connection_, piece, sizeof piece, 0);
    if (got <= 0) return false;
    bytes_.append(piece, static_cast<size_t>(got));
    return true;
  }

 private:
  const int connection_;
  std::string bytes_;
};

bool ReadRequest(Incoming& incoming, DoubleRequest* request) {
  std::string head;
  if (!incoming.Until("\r\n\r\n", &head)) return false;
  head += "\r\n";
  const size_t space = head.find(' ');
  const size_t second = head.find(' ', space + 1);
  request->method = head.substr(0, space);
  request->target = head.substr(space + 1, second - space - 1);
  const size_t question = request->target.find('?');
  request->path = Decoded(request->target.substr(0, question));
  std::string query =
      question == std::string::npos ? "" : request->target.substr(question + 1);
  while (!query.empty()) {
    const std::string pair = query.substr(0, query.find('&'));
    query.erase(0, std::min(query.size(), pair.size() + 1));
    const size_t equals = pair.find('=');
    request->query[Decoded(pair.substr(0, equals))] =
        equals == std::string::npos ? "" : Decoded(pair.substr(equals + 1));
  }
  for (size_t line = head.find("\r\n") + 2; line < head.size();) {
    const size_t end = head.find("\r\n", line);
    const std::string text = head.substr(line, end - line);
    line = end + 2;
    const size_t colon = text.find(':');
    if (colon == std::string::npos) continue;
    const size_t value = text.find_first_not_of(' ', colon + 1);
    request->headers[LowerCase(text.substr(0, colon))] =
        value == std::string::npos ? "" : text.substr(value);
  }
  const size_t size =
      std::strtoull(request->Header("content-length").c_str(), nullptr, 10);
  return incoming.Exactly(size, &request->body);
}

}  // namespace

std::string DoubleRequest::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

HttpDouble::HttpDouble(Handler handler) : handler_(std::move(handler)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(listener_, any, size), 0);
  EXPECT_EQ(listen(listener_, 64), 0);
  EXPECT_EQ(getsockname(listener_, any, &size), 0);
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

HttpDouble::~HttpDouble() {
  ends_ = true;
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
  {
    const std::lock_guard lock(mutex_);
    for (const int connection : connections_) shutdown(connection, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
}

std::string HttpDouble::url() const {
  return "http://127.0.0.1:" + std::to_string(port_);
}

void HttpDouble::Accept() {
  while (!ends_) {
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) continue;
    const int on = 1;
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::lock_guard lock(mutex_);
    connections_.insert(connection);
    threads_.emplace_back([this, connection] { Serve(connection); });
  }
}

void HttpDouble::Serve(int connection) {
  Incoming incoming(connection);
  for (DoubleRequest request; !ends_ && ReadRequest(incoming, &request); request = {}) {
    DoubleReply reply = handler_(request);
    if (reply.wire == Wire::kCutHead) break;
    if (reply.wire == Wire::kHang) {
      while (!ends_ && incoming.More()) {
      }
      break;
    }
    const bool bodiless = request.method == "HEAD" || reply.status == 204;
    std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " Said\r\n";
    if (!reply.headers.contains("Content-Length") && reply.status != 204)
      head += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
    for (const auto& [name, value] : reply.headers)
      head.append(name).append(": ").append(value).append("\r\n");
    head += "\r\n";
    std::string body = bodiless ? "" : reply.body;
    if (reply.wire == Wire::kCutBody) body.resize(body.size() / 2);
    if (!Send(connection, head.append(body)) || reply.wire != Wire::kWhole) break;
  }
  const std::lock_guard lock(mutex_);
  connections_.erase(connection);
  close(connection);
}

}  // namespace sluice
