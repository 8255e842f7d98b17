// drain_mysql text|binary HOST PORT USER PASSWORD DATABASE STATEMENT...: sends each statement on a
// connection of its own, all at once, reads every byte of the answers and throws it away; prints rows and
// bytes. Without TLS, packets walked by their lengths and nothing else looked at: nobody who reads the same
// rows over as many connections by the same protocol takes less.
#include <mysql.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr uint32_t kDeprecateEof = 1U << 24;
constexpr size_t kPacketMax = 0xFFFFFF;
constexpr size_t kHeaderSize = 4;
constexpr size_t kLookedAt = 4;
constexpr size_t kBufferSize = size_t{1} << 18;

/// What the packets of one answer say: how many columns, then one packet a column, then one a row.
class Answer {
 public:
  explicit Answer(bool deprecates_eof) : eofs_left_(deprecates_eof ? 0 : 1) {}

  /// A packet of `size` bytes whose first bytes are at `begin`; `continued` where it goes on one of
  /// the greatest size. True for the last of the answer.
  bool Take(const uint8_t* begin, size_t size, bool continued) {
    if (continued) return false;
    const uint8_t first = size == 0 ? 0 : begin[0];
    if (first == 0xFF) throw std::runtime_error("the server answered an error");
    if (columns_left_ < 0) {
      if (first == 0 || first >= 0xFB) throw std::runtime_error("the answer has no rows");
      // More than 250 columns: the count is in the two bytes after.
      columns_left_ = first == 0xFC ? begin[1] + 256 * begin[2] : first;
      const size_t count_size = first == 0xFC ? 3 : 1;
      // MariaDB leaves out what the answer to PREPARE said already, and says so in one byte more.
      if (size > count_size && begin[count_size] == 0) columns_left_ = 0;
      return false;
    }
    if (columns_left_ > 0) {
      --columns_left_;
      return false;
    }
    if (eofs_left_ > 0) {
      --eofs_left_;
      return false;
    }
    // A row that begins so has a first value of 16 MB, and fills its packet.
    if (first == 0xFE && size < kPacketMax) return true;
    ++rows_;
    return false;
  }

  int64_t rows() const { return rows_; }

 private:
  int columns_left_ = -1;
  int eofs_left_;
  int64_t rows_ = 0;
};

struct Drained {
  int64_t rows = 0;
  int64_t size = 0;
  std::string complaint;
};

void Send(int socket, const std::string& command) {
  const size_t size = command.size();
  std::string packet{static_cast<char>(size & 0xFF), static_cast<char>(size >> 8 & 0xFF),
                     static_cast<char>(size >> 16), '\0'};
  packet += command;
  if (send(socket, packet.data(), packet.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(packet.size())) {
    throw std::runtime_error("the statement could not be sent");
  }
}

/// COM_STMT_EXECUTE of what the library prepared: no cursor, once, no parameters.
std::string Execution(MYSQL* connection, const std::string& statement) {
  MYSQL_STMT* prepared = mysql_stmt_init(connection);
  if (mysql_stmt_prepare(prepared, statement.data(), statement.size()) != 0) {
    throw std::runtime_error(mysql_stmt_error(prepared));
  }
  std::string command{'\x17'};
  for (int shift = 0; shift < 32; shift += 8) {
    command += static_cast<char>(prepared->stmt_id >> shift & 0xFF);
  }
  return command + std::string("\0\1\0\0\0", 5);
}

Drained Receive(int socket, bool deprecates_eof) {
  std::vector<uint8_t> buffer(kBufferSize);
  Answer answer(deprecates_eof);
  Drained drained;
  size_t filled = 0;
  size_t skip = 0;  // Bytes still to come of a packet that was looked at already.
  bool continued = false;
  for (;;) {
    const ssize_t received =
        recv(socket, buffer.data() + filled, buffer.size() - filled, 0);
    if (received <= 0) throw std::runtime_error("the connection was lost");
    drained.size += received;
    filled += static_cast<size_t>(received);
    size_t at = std::min(skip, filled);
    skip -= at;
    // Four bytes of length and number, and as many of the body as are ever looked at.
    while (filled - at >= kHeaderSize) {
      const uint8_t* header = buffer.data() + at;
      const size_t size = header[0] | header[1] << 8 | header[2] << 16;
      if (filled - at - kHeaderSize < std::min(size, kLookedAt)) break;
      if (answer.Take(header + kHeaderSize, size, continued)) {
        drained.rows = answer.rows();
        return drained;
      }
      continued = size == kPacketMax;
      const size_t whole = std::min(kHeaderSize + size, filled - at);
      skip = kHeaderSize + size - whole;
      at += whole;
    }
    std::memmove(buffer.data(), buffer.data() + at, filled - at);
    filled -= at;
  }
}

Drained Drain(bool binary, char** server, const std::string& statement) {
  Drained drained;
  MYSQL* connection = mysql_init(nullptr);
  const auto port = static_cast<unsigned>(std::stoul(server[1]));
  if (mysql_real_connect(connection, server[0], server[2], server[3], server[4], port,
                         nullptr, 0) == nullptr) {
    drained.complaint = mysql_error(connection);
    mysql_close(connection);
    return drained;
  }
  const auto socket = static_cast<int>(mysql_get_socket(connection));
  try {
    // Signed in by the library; from here on the socket is ours alone.
    Send(socket, binary ? Execution(connection, statement) : '\x03' + statement);
    drained = Receive(socket, (connection->client_flag & kDeprecateEof) != 0);
  } catch (const std::runtime_error& error) {
    drained.complaint = error.what();
  }
  close(socket);  // The library knows nothing of what was read: no good-bye.
  return drained;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 8) {
    std::fprintf(
        stderr,
        "usage: drain_mysql text|binary HOST PORT USER PASSWORD DATABASE STATEMENT...\n");
    return 2;
  }
  mysql_library_init(0, nullptr, nullptr);
  const bool binary = std::string(argv[1]) == "binary";
  const auto streams = static_cast<size_t>(argc - 7);
  std::vector<Drained> drained(streams);
  std::vector<std::thread> threads;
  for (size_t at = 0; at < streams; ++at) {
    threads.emplace_back([&, at] {
      drained[at] = Drain(binary, argv + 2, argv[7 + at]);
      mysql_thread_end();
    });
  }
  Drained whole;
  for (size_t at = 0; at < streams; ++at) {
    threads[at].join();
    if (!drained[at].complaint.empty()) {
      std::fprintf(stderr, "drain_mysql: %s\n", drained[at].complaint.c_str());
      return 1;
    }
    whole.rows += drained[at].rows;
    whole.size += drained[at].size;
  }
  std::printf("%lld %lld\n", static_cast<long long>(whole.rows),
              static_cast<long long>(whole.size));
  return 0;
}
