#include "runtime/node/recorder.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <mutex>
#include <utility>

#include "runtime/base/unique_fd.h"

namespace subito::node {

struct Recorder::Shared {
  std::string file;
  UniqueFd fd;
  std::mutex mutex;   // of what stands below, and held while writing: pieces stay in order
  std::string piece;  // to be written
  Status status;

  // On any thread: writes the piece, and `more` behind it.
  void write(std::string more = {}) {
    const std::lock_guard lock(mutex);
    piece += more;
    std::string_view rest = piece;
    while (!rest.empty() && status) {
      const ssize_t size = ::write(fd.get(), rest.data(), rest.size());
      if (size < 0 && errno != EINTR) status = errno_error("write recording " + file);
      if (size > 0) rest.remove_prefix(static_cast<std::size_t>(size));
    }
    piece.clear();
  }
};

Result<std::unique_ptr<Recorder>> Recorder::create(Loop& loop, const std::string& file,
                                                   const scheduler::NodeLimits& limits) {
  auto shared = std::make_shared<Shared>();
  shared->file = file;
  shared->fd.reset(::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!shared->fd.valid()) return errno_error("open recording " + file);
  return std::unique_ptr<Recorder>(new Recorder(loop, std::move(shared), limits));
}

Recorder::Recorder(Loop& loop, std::shared_ptr<Shared> shared, const scheduler::NodeLimits& limits)
    : loop_(loop),
      shared_(std::move(shared)),
      writer_(limits, buffer_),
      timer_(loop, [this] { write(); }) {
  timer_.start(kWriteEvery);
}

Recorder::~Recorder() {
  writing_.reset();  // what it had to write waits in the piece, or is being written
  shared_->write(std::move(buffer_));
}

void Recorder::on_input(const scheduler::Input& input, std::span<const scheduler::Effect> effects) {
  if (ended_) return;
  writer_.append(input, effects, buffer_);
  if (buffer_.size() > kBufferMax) return end("the disk does not keep up");
  if (!writing_ && !timer_.active()) timer_.start(kWriteEvery);
}

void Recorder::write() {
  if (writing_ || buffer_.empty()) return;
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->piece = std::exchange(buffer_, {});
  }
  writing_.emplace(
      loop_, [shared = shared_] { shared->write(); }, [this] { written(); });
}

void Recorder::written() {
  writing_.reset();
  if (!shared_->status) return end(shared_->status.error().message);
  if (!buffer_.empty()) timer_.start(kWriteEvery);
}

// The file ends where the last piece did: with a whole record, unless that could not be written.
void Recorder::end(const std::string& reason) {
  ended_ = true;
  buffer_.clear();
  timer_.stop();
  spdlog::warn("recording {} ends: {}", shared_->file, reason);
}

}  // namespace subito::node
