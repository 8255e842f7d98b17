/// \file
/// An HTTP server on loopback, within the test, that answers as the test says: also badly.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace sluice {

struct DoubleRequest {
  std::string method;
  std::string path;                            ///< decoded
  std::map<std::string, std::string> query;    ///< decoded
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  std::string target;  ///< path and query as they came
  std::string Header(const std::string& name) const;
  bool Asks(const std::string& name) const { return query.contains(name); }
};

/// How the answer goes over the wire.
enum class Wire {
  kWhole,
  kCutHead,  ///< the connection is closed without a word
  kCutBody,  ///< half of the body, then closed
  kHang,     ///< nothing, until the client goes or the double ends
};

struct DoubleReply {
  int status = 200;
  std::map<std::string, std::string> headers;
  std::string body;
  Wire wire = Wire::kWhole;
};

/// The handler is called from many threads at once.
class HttpDouble {
 public:
  using Handler = std::function<DoubleReply(const DoubleRequest&)>;
  explicit HttpDouble(Handler handler);
  ~HttpDouble();
  HttpDouble(const HttpDouble&) = delete;
  HttpDouble& operator=(const HttpDouble&) = delete;

  /// "http://127.0.0.1:PORT".
  std::string url() const;

 private:
  void Accept();
  void Serve(int connection);
  const Handler handler_;
  int listener_ = -1, port_ = 0;
  std::atomic<bool> ends_ = false;
  std::mutex mutex_;
  std::set<int> connections_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace sluice
