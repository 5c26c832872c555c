#include "runtime/pods/templates.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "runtime/pods/channels.h"
#include "runtime/protocol/frame.h"
#include "runtime/protocol/image.h"
#include "runtime/protocol/pod.pb.h"

namespace subito::pods {
namespace {

using protocol::ImageHeader;
using protocol::ImageState;
using State = TemplateView::State;

constexpr std::uint64_t kDropped = 0;
constexpr std::uint64_t kBlockBytes = 512;  // of stat(2)
constexpr std::size_t kLastLineBytesMax = 200;

Result<UniqueFd> make_image_file(std::uint64_t memory_bytes_max) {
  UniqueFd image(::memfd_create("subito-template", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!image.valid()) return errno_error("make image");
  const auto size = static_cast<off_t>(protocol::kImageHeaderBytes + memory_bytes_max);
  if (::ftruncate(image.get(), size) != 0) return errno_error("size image");
  return image;
}

// It waits in the kernel until the process reads it, and the image with it.
Status ask_for_image(int channel, const std::string& name, int image) {
  protocol::Config config;
  config.set_pod(name);
  config.set_concurrency(1);
  config.set_leave_image(true);
  std::string frame;
  RETURN_IF_ERROR(protocol::append_frame(frame, protocol::FrameType::kConfig, 0, config));
  if (send_bytes(channel, frame.data(), frame.size(), image) !=
      static_cast<ssize_t>(frame.size())) {
    return errno_error("ask for image");
  }
  return ok();
}

// Nobody can change it any more; fails while somebody still has it mapped.
Status seal(int image) {
  const int seals = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
  return ::fcntl(image, F_ADD_SEALS, seals) == 0 ? ok() : Status(errno_error("seal image"));
}

std::uint64_t bytes_of(int file) {
  struct stat info = {};
  if (::fstat(file, &info) != 0) return 0;
  return static_cast<std::uint64_t>(info.st_blocks) * kBlockBytes;
}

// What the function's process wrote: for people, from a hand that is not trusted.
std::string printable(const char* text, std::size_t size_max) {
  std::string shown(text, ::strnlen(text, size_max));
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return c < ' ' || c > '~'; }, '?');
  return shown;
}

// " (it printed last: cannot read prices.csv)", or nothing.
std::string last_words(const std::string& line) {
  if (line.empty()) return {};
  return " (it printed last: " + printable(line.c_str(), kLastLineBytesMax) + ")";
}

}  // namespace

Templates::Templates(Loop& loop, Sandboxes sandboxes)
    : loop_(loop), sandboxes_(std::move(sandboxes)), tell_(loop, [this] { tell(); }) {}

void Templates::keep(std::uint64_t key, const PodSpec& spec, TemplateCallback told) {
  Entry& entry = entries_[key];
  entry.told = std::move(told);
  if (entry.view.state == State::kNone) {
    entry.spec = spec;
    entry.view.state = State::kMaking;
    waiting_.push_back(key);
    make_next();
  } else if (entry.view.state != State::kMaking) {
    tell_later(key);
  }
}

void Templates::drop(std::uint64_t key) {
  const auto it = entries_.find(key);
  if (it == entries_.end()) return;
  if (const auto making = making_.find(it->second.sandbox); making != making_.end()) {
    making->second = kDropped;
    sandboxes_.kill(making->first);
  }
  std::erase(waiting_, key);
  entries_.erase(it);
}

TemplateView Templates::view(std::uint64_t key) const {
  const auto it = entries_.find(key);
  return it == entries_.end() ? TemplateView() : it->second.view;
}

std::uint32_t Templates::ready() const {
  return static_cast<std::uint32_t>(
      std::count_if(entries_.begin(), entries_.end(),
                    [](const auto& entry) { return entry.second.view.state == State::kReady; }));
}

std::uint64_t Templates::memory_bytes() const {
  std::uint64_t sum = 0;
  for (const auto& [key, entry] : entries_) sum += entry.view.memory_bytes;
  return sum;
}

Templates::Image Templates::image(std::uint64_t key) const {
  const auto it = entries_.find(key);
  if (it == entries_.end() || it->second.view.state != State::kReady) return {};
  return {it->second.image.get(), it->second.artefact.get()};
}

void Templates::make_next() {
  while (making_.size() < kMakingMax && !waiting_.empty()) {
    const std::uint64_t key = waiting_.front();
    waiting_.pop_front();
    Entry& entry = entries_.at(key);
    if (const Status made = make(key, entry); !made) fail(key, entry, made.error().message);
  }
}

Status Templates::make(std::uint64_t key, Entry& entry) {
  entry.view = {State::kMaking, 0, {}, {}};
  entry.begun = loop_.now();
  entry.late = false;
  entry.last_line.clear();
  entry.artefact.reset(::open(entry.spec.artefact_path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!entry.artefact.valid()) return errno_error("open artefact " + entry.spec.artefact_path);
  ASSIGN_OR_RETURN(entry.image, make_image_file(entry.spec.limits.memory_bytes_max));
  RETURN_IF_ERROR(sandbox::put_kernel_areas(entry.image.get(), sandboxes_.kernel_areas));
  ASSIGN_OR_RETURN(Started started, sandboxes_.start(entry.spec, entry.artefact.get()));
  entry.sandbox = started.id;
  entry.channel = std::move(started.ends.channel);
  entry.output = std::make_unique<LineReader>(
      loop_, std::move(started.ends.stdio), [&entry](std::string_view line) {
        if (!line.empty()) entry.last_line = line.substr(0, kLastLineBytesMax);
      });
  making_.emplace(started.id, key);
  entry.timer = std::make_unique<Timer>(loop_, [this, &entry] {
    entry.late = true;
    sandboxes_.kill(entry.sandbox);
  });
  entry.timer->start(kDeadline);
  if (auto asked = ask_for_image(entry.channel.get(), entry.spec.name, entry.image.get()); !asked) {
    // Its end is awaited, and told then.
    entry.late = true;
    sandboxes_.kill(started.id);
  }
  return ok();
}

bool Templates::on_sandbox_ended(sandbox::SandboxId id, const PodExit& exit) {
  const auto making = making_.find(id);
  if (making == making_.end()) return false;
  const std::uint64_t key = making->second;
  making_.erase(making);
  if (const auto it = entries_.find(key); it != entries_.end()) finish(key, it->second, exit);
  make_next();
  return true;
}

void Templates::finish(std::uint64_t key, Entry& entry, const PodExit& exit) {
  entry.timer.reset();
  entry.channel.reset();
  entry.output->finish();
  entry.output.reset();
  entry.sandbox = {};
  ImageHeader header;
  const ssize_t size = ::pread(entry.image.get(), &header, sizeof header, 0);
  const bool written = size == sizeof header && header.magic == protocol::kImageMagic;
  const bool ended_well = exit.cause == PodExit::Cause::kExited && exit.code == 0;
  if (written && ended_well && header.state == ImageState::kRefused) {
    entry.view = {State::kRefused, 0, {}, printable(header.reason, sizeof header.reason)};
    entry.image.reset();
    return tell_later(key);
  }
  if (entry.late) {
    return fail(key, entry,
                "it left no image within 10 s: it did not come to serve(), or its SDK is older "
                "than templates");
  }
  if (!written || !ended_well || header.state != ImageState::kReady) {
    return fail(key, entry, words(exit, entry.spec.limits.memory_bytes_max * 2));
  }
  if (const Status sealed = seal(entry.image.get()); !sealed) {
    return fail(key, entry, sealed.error().message);
  }
  entry.failures = 0;
  entry.view = {State::kReady, bytes_of(entry.image.get()), loop_.now() - entry.begun, {}};
  tell_later(key);
}

void Templates::fail(std::uint64_t key, Entry& entry, std::string fault) {
  entry.image.reset();
  entry.view = {State::kFailed, 0, {}, std::move(fault) + last_words(entry.last_line)};
  entry.timer = std::make_unique<Timer>(loop_, [this, key, &entry] {
    entry.view.state = State::kMaking;
    waiting_.push_back(key);
    make_next();
  });
  entry.timer->start(kRetryFirst * (1 << std::min(entry.failures++, kRetryDoublingsMax)));
  tell_later(key);
}

void Templates::tell_later(std::uint64_t key) {
  to_tell_.push_back(key);
  tell_.schedule();
}

void Templates::tell() {
  while (!to_tell_.empty()) {
    const auto it = entries_.find(to_tell_.front());
    to_tell_.pop_front();
    if (it == entries_.end() || !it->second.told) continue;
    // It may drop the template: neither may be the entry's own then.
    const TemplateCallback told = it->second.told;
    const TemplateView view = it->second.view;
    told(view);
  }
}

}  // namespace subito::pods
