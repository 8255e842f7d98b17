/// \file
/// Between a client and a server, without TLS: cuts the line at the COMMIT it is told to, before or
/// after the server has heard it.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <string_view>
#include <thread>

namespace sluice {

class CommitCutter {
 public:
  enum class Cut { kNothing, kBeforeTheServer, kBehindTheServer };

  explicit CommitCutter(int server_port) : server_port_(server_port) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = Loopback(0);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 8), 0);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }
  ~CommitCutter() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  int port() const { return port_; }
  /// The next COMMIT; once.
  void CutNext(Cut cut) { cut_ = cut; }

 private:
  static sockaddr_in Loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  static bool Forward(int to, const char* bytes, ssize_t size) {
    return send(to, bytes, static_cast<size_t>(size), MSG_NOSIGNAL) == size;
  }

  /// One connection at a time, as a ledger has; the next one once it has ended.
  void Serve() {
    for (int client; (client = accept(listener_, nullptr, nullptr)) >= 0;) {
      const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const sockaddr_in address = Loopback(server_port_);
      if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) ==
          0)
        Carry(client, server);
      close(server);
      close(client);
    }
  }

  void Carry(int client, int server) {
    char bytes[1 << 16];
    pollfd ends[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    while (poll(ends, 2, -1) > 0) {
      for (const pollfd& end : ends) {
        if (end.revents == 0) continue;
        const ssize_t size = read(end.fd, bytes, sizeof bytes);
        if (size <= 0) return;
        const std::string_view text(bytes, static_cast<size_t>(size));
        const bool is_commit = end.fd == client && text.find("COMMIT") != text.npos;
        const Cut cut = is_commit ? cut_.exchange(Cut::kNothing) : Cut::kNothing;
        if (cut == Cut::kBeforeTheServer) return;
        if (!Forward(end.fd == client ? server : client, bytes, size)) return;
        // Its answer is waited for, and kept.
        if (cut == Cut::kBehindTheServer) {
          EXPECT_GT(read(server, bytes, sizeof bytes), 0);
          return;
        }
      }
    }
  }

  const int server_port_;
  int listener_ = -1, port_ = 0;
  std::atomic<Cut> cut_ = Cut::kNothing;
  std::thread thread_;
};

}  // namespace sluice
