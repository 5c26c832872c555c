#include "runtime/node/node_watch.h"

#include <spdlog/spdlog.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

namespace subito::node {
namespace {

constexpr std::string_view kDisk = "disk";

}  // namespace

// access(2) says EROFS of a file system that was mounted, or fell back to, read-only.
DiskReading read_disk(const std::string& folder) {
  DiskReading disk;
  struct statvfs info {};
  if (::statvfs(folder.c_str(), &info) != 0) {
    disk.error = std::strerror(errno);
    return disk;
  }
  disk.writable = ::access(folder.c_str(), W_OK) == 0;
  disk.free_bytes = info.f_bavail * std::uint64_t{info.f_frsize};
  disk.total_bytes = info.f_blocks * std::uint64_t{info.f_frsize};
  disk.free_files = info.f_favail;
  disk.total_files = info.f_files;
  return disk;
}

std::string fault_of(const DiskReading& disk, const std::string& folder) {
  constexpr std::string_view kMeanwhile =
      "; what is deployed is served, changes and logs are not kept";
  constexpr std::string_view kSoon =
      "; what is deployed is served, changes and logs are not kept once nothing is free";
  if (!disk.error.empty()) return "look at " + folder + ": " + disk.error;
  if (!disk.writable) return folder + " is read-only" + std::string(kMeanwhile);
  if (disk.free_bytes < kDiskFreeMin) {
    // In powers of two: a fault is told anew when its words change.
    const std::uint64_t below = std::bit_ceil((disk.free_bytes >> 20) + 1);
    return folder + (disk.free_bytes == 0 ? " is full" : " is nearly full") + ": less than " +
           std::to_string(below) + " MiB of " + std::to_string(disk.total_bytes >> 20) +
           " are free, " + std::to_string(kDiskFreeMin >> 20) + " are needed" +
           std::string(disk.free_bytes == 0 ? kMeanwhile : kSoon);
  }
  if (disk.total_files > 0 && disk.free_files == 0) {
    return folder + " is full: no file more can be made (inodes)" + std::string(kMeanwhile);
  }
  return {};
}

std::string fault_of(bindings::RedisServer::State redis) {
  if (redis == bindings::RedisServer::State::kReady) return {};
  return "the node's Redis is " + std::string(to_string(redis));
}

NodeWatch::NodeWatch(const Parts& parts)
    : parts_(parts), timer_(parts.loop, [this] {
        look();
        timer_.start(kWatchEvery);
      }) {}

void NodeWatch::start() {
  look();
  timer_.start(kWatchEvery);
}

void NodeWatch::stop() {
  timer_.stop();
  asking_.reset();
}

void NodeWatch::look() {
  if (const auto step = clock_.look(parts_.loop.now(), parts_.unix_ns())) {
    parts_.clock_was_set(*step);
  }
  parts_.others();
  if (asking_) {
    if (parts_.loop.now() - asked_at_ > kDiskAnswerWait) {
      parts_.health.set(kDisk, false, "the disk of " + parts_.folder + " does not answer",
                        parts_.unix_ns());
    }
    return;
  }
  asked_at_ = parts_.loop.now();
  reading_ = std::make_shared<DiskReading>();
  asking_ = std::make_unique<Background>(
      parts_.loop, [reading = reading_, folder = parts_.folder] { *reading = read_disk(folder); },
      [this] { disk_answered(); });
}

void NodeWatch::disk_answered() {
  asking_.reset();
  parts_.health.set(kDisk, false, fault_of(*reading_, parts_.folder), parts_.unix_ns());
}

void log_condition(const api::Condition& condition) {
  if (condition.ok) return spdlog::info("{}: well again", condition.name);
  spdlog::warn("{}: {}", condition.name, condition.fault);
}

// Deadlines and timeouts go by a clock that nobody sets; schedules look at the new time within a
// minute.
void log_clock_step(Duration step) {
  spdlog::warn("clock: it was set {} by {} s; times in logs and events jump with it",
               step.count() > 0 ? "forward" : "back",
               std::abs(std::chrono::duration_cast<std::chrono::seconds>(step).count()));
}

void log_shutdown_delay(Duration delay) {
  spdlog::info("stopping: not ready any more, all is served for {} s more",
               std::chrono::duration<double>(delay).count());
}

}  // namespace subito::node
