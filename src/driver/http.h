/// \file
/// HTTP/1.1 over libcurl made safe: ownership, bounds, errors with their kind, cancel. curl.h
/// is included nowhere else. TLS is verified, redirects are never followed, the path is sent as
/// it is given.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sluice/error.h"

namespace sluice::http {

struct Header {
  std::string name, value;
};

struct Request {
  std::string method = "GET";  ///< GET, HEAD, PUT, POST, DELETE
  std::string url;             ///< encoded; http or https
  std::vector<Header> headers;
  std::string_view body;  ///< outlives the call
  /// Called when half of the body has been sent, before the rest is: a body can be held back. Null: sent
  /// at once.
  std::function<void()> halfway;
  /// A larger response is "http.too-large". Where `into` is set: its size, and the body of a 2xx
  /// response goes there.
  int64_t response_max = 1 << 20;
  char* into = nullptr;
  std::chrono::milliseconds connect_max{10'000};
  /// Without a byte moving for so long, the request is given up. At least a second.
  std::chrono::seconds silence_max{60};
  std::chrono::milliseconds time_max{0};         ///< of the whole request; 0: no bound
  bool proxy = true;                             ///< as the environment says
  const std::atomic<bool>* cancelled = nullptr;  ///< looked at about once a second
};

struct Response {
  int status = 0;
  std::vector<Header> headers;  ///< names in lower case
  std::string body;             ///< of at most response_max bytes; "" with `into` and 2xx
  int64_t size = 0;             ///< bytes of the body, wherever they went
  /// The value of the first header of that lower-case name; "".
  std::string_view Find(std::string_view name) const;
};

struct Options {
  std::string ca_file;  ///< PEM; "": the system's
  std::string user_agent = "sluice";
};

/// Thread-safe: handles with their connections are pooled, each used by one thread at a time.
class Client {
 public:
  explicit Client(Options options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Any status is a Response. Errors, none of whose messages holds a header:
  /// "http.unreachable": kTransient, nothing was sent; "http.interrupted": kTransient, the
  /// request may have had its effect; "http.unknown-host", "http.no-tls": kUsage;
  /// "http.untrusted":
  /// kDestination, the certificate; "http.too-large": kDestination; "http.cancelled": kCancelled;
  /// "http.bad-url": kUsage.
  Result<Response> Send(const Request& request);

 private:
  class Handle;
  std::unique_ptr<Handle> Take();
  void GiveBack(std::unique_ptr<Handle> handle);
  struct Pool;
  const Options options_;
  const std::unique_ptr<Pool> pool_;
};

}  // namespace sluice::http
