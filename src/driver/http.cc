#include "driver/http.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <mutex>

namespace sluice::http {
namespace {

constexpr size_t kIdleHandlesMax = 16;
constexpr size_t kHeadersMax = 256;

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// What the callbacks of one request share.
struct Exchange {
  const Request& request;
  Response& response;
  CURL* curl;
  bool too_large = false;
  size_t sent = 0;  ///< of a body with a halfway
};

size_t OnRead(char* out, size_t, size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::string_view body = exchange.request.body;
  const size_t half = body.size() / 2;
  if (exchange.sent == half) exchange.request.halfway();
  const size_t end = exchange.sent < half ? half : body.size();
  const size_t count = std::min(size, end - exchange.sent);
  std::memcpy(out, body.data() + exchange.sent, count);
  exchange.sent += count;
  return count;
}

size_t OnHeader(char* data, size_t, size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  const std::string_view line(data, size);
  auto& headers = exchange.response.headers;
  // A status line: of "100 Continue" too, whose headers are not the answer's.
  if (line.starts_with("HTTP/")) headers.clear();
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || headers.size() >= kHeadersMax) return size;
  std::string name(Trimmed(line.substr(0, colon)));
  std::transform(name.begin(), name.end(), name.begin(), Lower);
  headers.push_back({std::move(name), std::string(Trimmed(line.substr(colon + 1)))});
  return size;
}

size_t OnBody(char* data, size_t, size_t size, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  Response& response = exchange.response;
  long status = 0;
  curl_easy_getinfo(exchange.curl, CURLINFO_RESPONSE_CODE, &status);
  const int64_t end = response.size + static_cast<int64_t>(size);
  const bool direct = exchange.request.into != nullptr && status / 100 == 2;
  // An error's text is of use also where it is cut.
  if (end > exchange.request.response_max && status / 100 == 2) {
    exchange.too_large = true;
    return 0;
  }
  if (direct) {
    std::memcpy(exchange.request.into + response.size, data, size);
  } else if (static_cast<int64_t>(response.body.size()) <
             std::max<int64_t>(exchange.request.response_max, 64 << 10)) {
    response.body.append(data, size);
  }
  response.size = end;
  return size;
}

int OnProgress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  const auto& exchange = *static_cast<Exchange*>(user);
  const std::atomic<bool>* cancelled = exchange.request.cancelled;
  return cancelled != nullptr && cancelled->load() ? 1 : 0;
}

/// scheme://host:port of a URL; its path may hold names of the user's, its query signatures.
std::string OriginOf(const std::string& url) {
  const size_t host = url.find("://");
  if (host == std::string::npos) return url.substr(0, url.find('?'));
  return url.substr(0, url.find_first_of("/?", host + 3));
}

Status UnknownHost(const std::string& origin) {
  return Error(
      ErrorKind::kUsage, "http.unknown-host",
      fmt::format("no host of that name is known: {}", origin),
      "look for a typing error in the endpoint or region, or at the network's DNS");
}

Status Untrusted(const std::string& origin, const std::string& why) {
  return Error(
      ErrorKind::kDestination, "http.untrusted",
      fmt::format("the certificate of {} is not trusted: {}", origin, why),
      "name the authority that signed it with the option ca=FILE or in AWS_CA_BUNDLE");
}

/// What OpenSSL says of a first record that is none of TLS.
bool IsNoTls(std::string_view why) {
  return why.find("wrong version number") != why.npos ||
         why.find("packet length too long") != why.npos;
}

Status WithoutTls(const std::string& origin) {
  return Error(
      ErrorKind::kUsage, "http.no-tls",
      fmt::format("wanted TLS, found a server that answers without it: {}", origin),
      "write http:// if that is meant, or give the port on which it speaks TLS");
}

Status StatusOf(CURLcode code, const Exchange& exchange, const char* detail) {
  const std::string origin = OriginOf(exchange.request.url);
  const std::string why = detail[0] != '\0' ? detail : curl_easy_strerror(code);
  switch (code) {
    case CURLE_OK: return Status::OK();
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return Error(ErrorKind::kUsage, "http.bad-url",
                   fmt::format("wanted an http or https URL, found {}: {}", origin, why));
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return UnknownHost(origin);
    case CURLE_COULDNT_CONNECT:
      return Error(ErrorKind::kTransient, "http.unreachable",
                   fmt::format("cannot connect to {}: {}", origin, why));
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS: return Untrusted(origin, why);
    case CURLE_SSL_CONNECT_ERROR:
      if (IsNoTls(why)) return WithoutTls(origin);
      break;
    case CURLE_ABORTED_BY_CALLBACK:
      return Error(ErrorKind::kCancelled, "http.cancelled", "the request was cancelled");
    case CURLE_OUT_OF_MEMORY: return Status::OutOfMemory("libcurl: ", why);
    case CURLE_WRITE_ERROR:
      if (!exchange.too_large) break;
      return Error(ErrorKind::kDestination, "http.too-large",
                   fmt::format("{} answers with more than the {} bytes wanted", origin,
                               exchange.request.response_max));
    default: break;
  }
  curl_off_t sent = 0;
  curl_easy_getinfo(exchange.curl, CURLINFO_PRETRANSFER_TIME_T, &sent);
  const bool nothing_sent = sent == 0;
  return Error(ErrorKind::kTransient,
               nothing_sent ? "http.unreachable" : "http.interrupted",
               fmt::format("{} {}: {}",
                           nothing_sent ? "cannot connect to" : "no whole answer from",
                           origin, why));
}

/// libcurl wants to be initialised once, before threads use it.
Status Initialized() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code == CURLE_OK) return Status::OK();
  return Error(ErrorKind::kFailed, "http.library",
               fmt::format("libcurl cannot start: {}", curl_easy_strerror(code)),
               "look at its installation: `curl --version` uses the same library");
}

}  // namespace

std::string_view Response::Find(std::string_view name) const {
  for (const Header& header : headers) {
    if (header.name == name) return header.value;
  }
  return {};
}

/// Keeps its connection between requests.
class Client::Handle {
 public:
  Handle() : curl_(curl_easy_init()) {}
  ~Handle() {
    if (curl_ != nullptr) curl_easy_cleanup(curl_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  Result<Response> Send(const Request& request, const Options& options) {
    if (curl_ == nullptr) return Status::OutOfMemory("no handle of libcurl");
    Response response;
    Exchange exchange{request, response, curl_};
    char detail[CURL_ERROR_SIZE] = {0};
    curl_easy_reset(curl_);
    curl_easy_setopt(curl_, CURLOPT_ERRORBUFFER, detail);
    SetBounds(request, options);
    SetMethod(request, exchange);
    curl_easy_setopt(curl_, CURLOPT_HEADERFUNCTION, OnHeader);
    curl_easy_setopt(curl_, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &exchange);
    curl_easy_setopt(curl_, CURLOPT_XFERINFOFUNCTION, OnProgress);
    curl_easy_setopt(curl_, CURLOPT_XFERINFODATA, &exchange);
    curl_slist* lines = Lines(request);
    curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, lines);
    const CURLcode code = curl_easy_perform(curl_);
    curl_slist_free_all(lines);
    ARROW_RETURN_NOT_OK(StatusOf(code, exchange, detail));
    long status = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    response.status = static_cast<int>(status);
    return response;
  }

 private:
  void SetBounds(const Request& request, const Options& options) {
    curl_easy_setopt(curl_, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl_, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl_, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl_, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl_, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl_, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl_, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl_, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl_, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(curl_, CURLOPT_BUFFERSIZE, 256L << 10);
    curl_easy_setopt(curl_, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
    curl_easy_setopt(curl_, CURLOPT_USERAGENT, options.user_agent.c_str());
    if (!options.ca_file.empty())
      curl_easy_setopt(curl_, CURLOPT_CAINFO, options.ca_file.c_str());
    if (!request.proxy) curl_easy_setopt(curl_, CURLOPT_PROXY, "");
    curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(request.connect_max.count()));
    curl_easy_setopt(curl_, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(
        curl_, CURLOPT_LOW_SPEED_TIME,
        static_cast<long>(std::max<int64_t>(1, request.silence_max.count())));
    curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS,
                     static_cast<long>(request.time_max.count()));
  }

  void SetMethod(const Request& request, Exchange& exchange) {
    const bool sends = request.method == "PUT" || request.method == "POST";
    if (request.method == "HEAD") {
      curl_easy_setopt(curl_, CURLOPT_NOBODY, 1L);
    } else if (sends) {
      // From memory, so that libcurl can send it again when a kept connection turns out dead.
      curl_easy_setopt(curl_, CURLOPT_POST, 1L);
      curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
      if (request.halfway) {
        curl_easy_setopt(curl_, CURLOPT_READFUNCTION, OnRead);
        curl_easy_setopt(curl_, CURLOPT_READDATA, &exchange);
      } else {
        curl_easy_setopt(curl_, CURLOPT_POSTFIELDS,
                         request.body.empty() ? "" : request.body.data());
      }
      curl_easy_setopt(curl_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    } else if (request.method != "GET") {
      curl_easy_setopt(curl_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }
  }

  static curl_slist* Lines(const Request& request) {
    // Never wait for "100 Continue"; no content type of libcurl's own invention.
    curl_slist* lines = curl_slist_append(nullptr, "Expect:");
    bool typed = false;
    for (const Header& header : request.headers) {
      // A header that ends in a semicolon is sent with an empty value.
      const std::string line = header.value.empty()
                                   ? header.name + ";"
                                   : fmt::format("{}: {}", header.name, header.value);
      lines = curl_slist_append(lines, line.c_str());
      typed = typed || header.name == "content-type";
    }
    return typed ? lines : curl_slist_append(lines, "Content-Type:");
  }

  CURL* const curl_;
};

struct Client::Pool {
  std::mutex mutex;
  std::vector<std::unique_ptr<Handle>> idle;
};

Client::Client(Options options)
    : options_(std::move(options)), pool_(std::make_unique<Pool>()) {}
Client::~Client() = default;

std::unique_ptr<Client::Handle> Client::Take() {
  {
    const std::lock_guard lock(pool_->mutex);
    if (!pool_->idle.empty()) {
      auto handle = std::move(pool_->idle.back());
      pool_->idle.pop_back();
      return handle;
    }
  }
  return std::make_unique<Handle>();
}

void Client::GiveBack(std::unique_ptr<Handle> handle) {
  const std::lock_guard lock(pool_->mutex);
  if (pool_->idle.size() < kIdleHandlesMax) pool_->idle.push_back(std::move(handle));
}

Result<Response> Client::Send(const Request& request) {
  ARROW_RETURN_NOT_OK(Initialized());
  auto handle = Take();
  auto response = handle->Send(request, options_);
  // Who refuses before it has read the body may take it for the next request.
  const bool clean = response.ok() && (response->status < 400 || request.body.empty());
  if (clean) GiveBack(std::move(handle));
  return response;
}

}  // namespace sluice::http
