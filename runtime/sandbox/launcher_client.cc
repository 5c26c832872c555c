#include "runtime/sandbox/launcher_client.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <csignal>

#include "runtime/sandbox/cgroup_files.h"
#include "runtime/sandbox/messages.h"
#include "runtime/sandbox/packet_socket.h"

namespace subito::sandbox {
namespace {

constexpr int kSocketBufferBytes = 1 << 20;  // some hundred messages in flight

std::string default_launcher_path() {
  char path[PATH_MAX];
  const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
  const std::string own(path, size > 0 ? static_cast<std::size_t>(size) : 0);
  const std::string folder = own.substr(0, own.rfind('/') + 1);
  // Beside it in a build folder; installed, where programs lie that nobody types.
  const std::string beside = folder + "subito-launcher";
  return ::access(beside.c_str(), X_OK) == 0 ? beside : folder + "../lib/subito/subito-launcher";
}

Result<ConfigureMessage> encode(const LauncherConfig& config) {
  const std::string root = config.cgroup_root.empty() ? "/sys/fs/cgroup" : config.cgroup_root;
  if (!valid_node_id(config.node_id)) {
    return fail(ErrorCode::kInvalidArgument, "start launcher: node id is not [a-z0-9-]{1,40}");
  }
  if (root.size() > kPathBytesMax) {
    return fail(ErrorCode::kInvalidArgument, "start launcher: cgroup root is too long");
  }
  ConfigureMessage message;
  std::copy(config.node_id.begin(), config.node_id.end(), message.node_id);
  std::copy(root.begin(), root.end(), message.cgroup_root);
  message.uid_base = config.uid_base;
  message.sandboxes_max = config.sandboxes_max;
  message.namespace_reserve_max = config.namespace_reserve_max;
  message.cgroup_reserve_max = config.cgroup_reserve_max;
  message.network_wait_ms = static_cast<std::uint32_t>(config.network_wait.count());
  message.tmp_inodes_max = config.tmp_inodes_max;
  message.descriptors_max = config.descriptors_max;
  message.tmp_bytes_max = config.tmp_bytes_max;
  return message;
}

// Signals as at boot, a session of its own (Ctrl-C on the node's terminal is the node's business),
// the socket at 3. Everything else of the node's is CLOEXEC, and the launcher closes what is not.
Result<pid_t> spawn(const std::string& path, int socket) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, socket, 3);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  char name[] = "subito-launcher";
  char* const argv[] = {name, nullptr};
  char* const envp[] = {nullptr};
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, path.c_str(), &actions, &attributes, argv, envp);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) return errno_error("start launcher " + path, error);
  return pid;
}

Status await_ready(int socket, std::chrono::milliseconds deadline) {
  pollfd readable = {socket, POLLIN, 0};
  if (::poll(&readable, 1, static_cast<int>(deadline.count())) <= 0) {
    return fail(ErrorCode::kDeadlineExceeded, "start launcher: no answer");
  }
  char buffer[kPacketBytesMax];
  Packet packet;
  if (const int error = receive_packet(socket, buffer, sizeof buffer, packet, MSG_DONTWAIT);
      error != 0) {
    return errno_error("start launcher", error);
  }
  if (decode<ReadyMessage>(buffer, packet.size)) return ok();
  if (auto failure = decode<StartFailedMessage>(buffer, packet.size)) {
    failure->reason[kReasonBytesMax] = '\0';
    Error error = errno_error("", failure->os_errno);
    error.message = std::string("start launcher: ") + failure->reason;
    return error;
  }
  return fail(ErrorCode::kUnavailable, "start launcher: it ended at once");
}

template <typename Message>
Status send(int socket, const Message& message, const int* fds, std::size_t fd_count) {
  const int error =
      send_packet(socket, &message, sizeof message, nullptr, 0, fds, fd_count, MSG_DONTWAIT);
  if (error == 0) return ok();
  return ask_error(error);
}

bool deliver(const char* buffer, std::size_t size, LauncherEvents& sink) {
  if (const auto created = decode<CreatedMessage>(buffer, size)) {
    Created event;
    event.id = created->id;
    event.cgroup = created->cgroup;
    event.host_pid = created->host_pid;
    std::copy(std::begin(created->step_us), std::end(created->step_us), event.step_us.begin());
    sink.on_created(event);
  } else if (const auto failed = decode<CreateFailedMessage>(buffer, size)) {
    sink.on_create_failed({failed->id, failed->step, failed->os_errno});
  } else if (const auto exited = decode<ExitedMessage>(buffer, size)) {
    sink.on_exited({exited->id, exited->wait_status, exited->oom_kills, exited->memory_bytes_peak,
                    exited->user_us, exited->system_us, exited->failed_step, exited->failed_errno});
  } else {
    return false;
  }
  return true;
}

}  // namespace

Error ask_error(int send_errno) {
  if (send_errno == EAGAIN) {
    return {ErrorCode::kResourceExhausted, "ask launcher: too many messages wait for it", 0};
  }
  Error error = errno_error("ask launcher", send_errno);
  const bool passes =
      send_errno == ENOBUFS || send_errno == ENOMEM || send_errno == ETOOMANYREFS;  // unix(7)
  error.code = passes ? ErrorCode::kResourceExhausted : ErrorCode::kUnavailable;
  return error;
}

Error step_error(Step step, int os_errno) {
  return errno_error(std::string(to_string(step)), os_errno);
}

Result<LauncherClient> LauncherClient::start(const LauncherConfig& config) {
  ASSIGN_OR_RETURN(const ConfigureMessage message, encode(config));
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return errno_error("start launcher: make socket pair");
  }
  UniqueFd own(ends[0]);
  UniqueFd theirs(ends[1]);
  // Refused above the system's maximum, which root may exceed with the FORCE variant.
  ::setsockopt(own.get(), SOL_SOCKET, SO_SNDBUFFORCE, &kSocketBufferBytes, sizeof(int));
  const std::string path =
      config.launcher_path.empty() ? default_launcher_path() : config.launcher_path;
  ASSIGN_OR_RETURN(const pid_t pid, spawn(path, theirs.get()));
  LauncherClient client(std::move(own), pid);
  RETURN_IF_ERROR(send(client.fd(), message, nullptr, 0));
  theirs.reset();
  RETURN_IF_ERROR(await_ready(client.fd(), config.start_deadline));
  return client;
}

LauncherClient::LauncherClient(LauncherClient&& other) noexcept
    : socket_(std::move(other.socket_)), pid_(std::exchange(other.pid_, -1)) {}

LauncherClient& LauncherClient::operator=(LauncherClient&& other) noexcept {
  if (this != &other) {
    stop(kStopDeadline);
    socket_ = std::move(other.socket_);
    pid_ = std::exchange(other.pid_, -1);
  }
  return *this;
}

LauncherClient::~LauncherClient() {
  stop(kStopDeadline);
}

Status LauncherClient::on_readable(LauncherEvents& sink) {
  for (int i = 0; i < kEventsPerTurnMax; ++i) {
    char buffer[kPacketBytesMax];
    Packet packet;
    const int error = receive_packet(socket_.get(), buffer, sizeof buffer, packet, MSG_DONTWAIT);
    if (error == EAGAIN) return ok();
    if (error != 0 || packet.size == 0) {
      return fail(ErrorCode::kUnavailable, "hear launcher: it is gone");
    }
    if (!deliver(buffer, packet.size, sink)) {
      return fail(ErrorCode::kProtocol, "hear launcher: not a message of this version");
    }
  }
  return ok();
}

Status LauncherClient::create(SandboxId id, const CreateRequest& request, PodEnds ends) {
  CreateMessage message;
  message.id = id;
  message.limits = request.limits;
  message.reuse = request.reuse ? 1 : 0;
  message.leaves_cgroup = request.leaves_cgroup ? 1 : 0;
  const int fds[] = {ends.channel.get(), ends.stdio.get(), ends.control.get()};
  return send(fd(), message, fds, std::size(fds));
}

Status LauncherClient::set_limits(SandboxId id, const SandboxLimits& limits) {
  ChangeLimitsMessage message;
  message.id = id;
  message.limits = limits;
  return send(fd(), message, nullptr, 0);
}

Status LauncherClient::share_cpu(SandboxId id, std::uint32_t share) {
  ShareCpuMessage message;
  message.id = id;
  message.share = share;
  return send(fd(), message, nullptr, 0);
}

Status LauncherClient::kill(SandboxId id, int signal) {
  KillMessage message;
  message.id = id;
  message.signal = signal;
  return send(fd(), message, nullptr, 0);
}

void LauncherClient::stop(std::chrono::milliseconds deadline) {
  socket_.reset();
  if (pid_ < 0) return;
  const UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  pollfd ended = {pidfd.get(), POLLIN, 0};
  if (::poll(&ended, 1, static_cast<int>(deadline.count())) <= 0) ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace subito::sandbox
