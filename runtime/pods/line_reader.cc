#include "runtime/pods/line_reader.h"

#include <unistd.h>

#include <utility>

namespace subito::pods {
namespace {
// A pod that prints without end must not keep the loop: the rest waits for the next turn, and the
// pod itself waits in write(2) once the socket is full.
constexpr int kPipeReadsPerTurnMax = 4;
// At its end all is read that a socket holds (208 KiB by default): its last words say why.
constexpr int kReadsAtEndMax = 64;
}  // namespace

LineReader::LineReader(Loop& loop, UniqueFd fd, Callback callback)
    : fd_(std::move(fd)), callback_(std::move(callback)) {
  poll_ = std::make_unique<Poll>(loop, fd_.get(), [this](int, int) {
    for (int i = 0; i < kPipeReadsPerTurnMax && read_some(); ++i) {
    }
  });
  poll_->start(UV_READABLE);
}

LineReader::~LineReader() {
  poll_.reset();
}

void LineReader::finish() {
  for (int i = 0; i < kReadsAtEndMax && read_some(); ++i) {
  }
  if (!pending_.empty()) callback_(std::exchange(pending_, {}));
}

void LineReader::catch_up() {
  int reads = 0;
  while (reads < kPipeReadsPerTurnMax && read_some()) ++reads;
  behind_ = reads == kPipeReadsPerTurnMax;
  begun_before_ = !pending_.empty();
}

bool LineReader::read_some() {
  char buffer[4096];
  const ssize_t n = ::read(fd_.get(), buffer, sizeof buffer);
  if (n <= 0) {
    if (n == 0) poll_->stop();
    behind_ = false;
    return false;
  }
  pending_.append(buffer, static_cast<std::size_t>(n));
  split();
  return true;
}

void LineReader::split() {
  std::size_t begin = 0;
  while (begin < pending_.size()) {
    const std::size_t newline = pending_.find('\n', begin);
    if (newline == std::string::npos && pending_.size() - begin < kLineBytesMax) break;
    const std::size_t length =
        std::min(kLineBytesMax, (newline == std::string::npos ? pending_.size() : newline) - begin);
    callback_(std::string_view(pending_).substr(begin, length));
    begun_before_ = false;
    begin += length + (begin + length == newline ? 1 : 0);
  }
  pending_.erase(0, begin);
}

}  // namespace subito::pods
