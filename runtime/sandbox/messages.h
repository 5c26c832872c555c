// What node and launcher say to each other over their SOCK_SEQPACKET socket, and what a sandbox and
// the node say over `control`: plain structs of one machine and one build, one a packet, checked
// for kind, version and size before a field is believed. No Protobuf: the launcher stays small.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>

#include "runtime/sandbox/sandbox_types.h"

namespace subito::sandbox {

constexpr std::uint32_t kMessageVersion = 0x53420005;  // "SB", 5

enum class MessageKind : std::uint32_t {
  kConfigure,  // node to launcher
  kCreate,     // with three descriptors: channel, stdio, control
  kChangeLimits,
  kShareCpu,
  kKill,
  kReady,  // launcher to node
  kStartFailed,
  kCreated,
  kCreateFailed,
  kExited,
  kLaunch,      // node to sandbox, with the descriptors of the artefact and perhaps more
  kStepFailed,  // sandbox to node
};

struct Header {
  std::uint32_t version = kMessageVersion;
  MessageKind kind;
};

constexpr std::size_t kNodeIdBytesMax = 40;
constexpr std::size_t kPathBytesMax = 200;

struct ConfigureMessage {
  static constexpr MessageKind kKind = MessageKind::kConfigure;
  Header header{kMessageVersion, kKind};
  char node_id[kNodeIdBytesMax + 1] = {};
  char cgroup_root[kPathBytesMax + 1] = {};
  std::uint32_t uid_base = 0;
  std::uint32_t sandboxes_max = 0;
  std::uint32_t namespace_reserve_max = 0;
  std::uint32_t cgroup_reserve_max = 0;
  std::uint32_t network_wait_ms = 0;
  std::uint32_t tmp_inodes_max = 0;
  std::uint32_t descriptors_max = 0;
  std::uint64_t tmp_bytes_max = 0;
};

struct CreateMessage {
  static constexpr MessageKind kKind = MessageKind::kCreate;
  Header header{kMessageVersion, kKind};
  SandboxId id;
  SandboxLimits limits;
  std::uint32_t reuse = 0;
  std::uint32_t leaves_cgroup = 1;
};

struct ChangeLimitsMessage {
  static constexpr MessageKind kKind = MessageKind::kChangeLimits;
  Header header{kMessageVersion, kKind};
  SandboxId id;
  SandboxLimits limits;
};

struct ShareCpuMessage {
  static constexpr MessageKind kKind = MessageKind::kShareCpu;
  Header header{kMessageVersion, kKind};
  SandboxId id;
  std::uint32_t share = 0;
};

struct KillMessage {
  static constexpr MessageKind kKind = MessageKind::kKill;
  Header header{kMessageVersion, kKind};
  SandboxId id;
  std::int32_t signal = 0;
};

struct ReadyMessage {
  static constexpr MessageKind kKind = MessageKind::kReady;
  Header header{kMessageVersion, kKind};
};

constexpr std::size_t kReasonBytesMax = 400;
struct StartFailedMessage {
  static constexpr MessageKind kKind = MessageKind::kStartFailed;
  Header header{kMessageVersion, kKind};
  std::int32_t os_errno = 0;
  char reason[kReasonBytesMax + 1] = {};
};

struct CreatedMessage {
  static constexpr MessageKind kKind = MessageKind::kCreated;
  Header header{kMessageVersion, kKind};
  SandboxId id;
  SandboxId cgroup;
  std::int32_t host_pid = 0;
  std::uint32_t step_us[kStepCount] = {};
};

struct CreateFailedMessage {
  static constexpr MessageKind kKind = MessageKind::kCreateFailed;
  Header header{kMessageVersion, kKind};
  SandboxId id;
  Step step = Step::kNone;
  std::int32_t os_errno = 0;
};

struct ExitedMessage {
  static constexpr MessageKind kKind = MessageKind::kExited;
  Header header{kMessageVersion, kKind};
  SandboxId id;
  std::int32_t wait_status = 0;
  Step failed_step = Step::kNone;
  std::int32_t failed_errno = 0;
  std::uint64_t oom_kills = 0;
  std::uint64_t memory_bytes_peak = 0;
  std::uint64_t user_us = 0;
  std::uint64_t system_us = 0;
};

// With the artefact's descriptor, that of a template's image if it shall begin as that, and that of
// the files it is granted (granted_files.h), if it is any.
// Followed by argc + envc strings, each with its NUL, `bytes` in all.
struct LaunchMessage {
  static constexpr MessageKind kKind = MessageKind::kLaunch;
  Header header{kMessageVersion, kKind};
  std::uint32_t argc = 0;
  std::uint32_t envc = 0;
  std::uint32_t bytes = 0;
  std::uint32_t wait_for_limits = 0;
  std::uint32_t with_image = 0;
  std::uint32_t with_files = 0;
};
constexpr std::size_t kLaunchStringsMax = 512;
constexpr std::size_t kLaunchBytesMax = 64 * 1024;

struct StepFailedMessage {
  static constexpr MessageKind kKind = MessageKind::kStepFailed;
  Header header{kMessageVersion, kKind};
  Step step = Step::kNone;
  std::int32_t os_errno = 0;
};

// The largest packet between node and launcher.
constexpr std::size_t kPacketBytesMax = 512;
static_assert(sizeof(ConfigureMessage) <= kPacketBytesMax);
static_assert(sizeof(StartFailedMessage) <= kPacketBytesMax);

// The kind a packet claims to be, if it is one of ours at all.
inline std::optional<MessageKind> kind_of(const void* packet, std::size_t size) {
  Header header{0, MessageKind::kConfigure};
  if (size < sizeof header) return std::nullopt;
  std::memcpy(&header, packet, sizeof header);
  if (header.version != kMessageVersion) return std::nullopt;
  return header.kind;
}

template <typename Message>
std::optional<Message> decode(const void* packet, std::size_t size) {
  static_assert(std::is_trivially_copyable_v<Message>);
  if (size != sizeof(Message) || kind_of(packet, size) != Message::kKind) return std::nullopt;
  Message message;
  std::memcpy(&message, packet, size);
  return message;
}

}  // namespace subito::sandbox
