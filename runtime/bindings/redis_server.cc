#include "runtime/bindings/redis_server.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <utility>

#include "runtime/base/check.h"
#include "runtime/bindings/redis_users.h"

namespace subito::bindings {
namespace {

constexpr const char* kUser = "subito-node";
constexpr std::chrono::milliseconds kStaleGrace{2000};
// One try of asking whether Redis is ready.
constexpr Duration kProbeTimeout = std::chrono::seconds(1);
constexpr std::size_t kLastWordsBytesMax = 4096;
constexpr const char* kHowToGetOne =
    "; install redis-server, or say where one is: subito up --redis-server PATH, --redis ADDRESS";

// As redis.conf wants its strings.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

const char* append_fsync(Fsync fsync) {
  switch (fsync) {
    case Fsync::kAlways:
      return "always";
    case Fsync::kEverySecond:
      return "everysec";
    case Fsync::kByKernel:
      return "no";
  }
  return "always";
}

}  // namespace

std::string_view to_string(RedisServer::State state) {
  switch (state) {
    case RedisServer::State::kStopped:
      return "stopped";
    case RedisServer::State::kStarting:
      return "starting";
    case RedisServer::State::kReady:
      return "ready";
    case RedisServer::State::kBackingOff:
      return "backing off";
    case RedisServer::State::kStopping:
      return "stopping";
  }
  return "unknown";
}

RedisServer::RedisServer(Loop& loop, Dialer& dialer, RedisServerConfig config, Observer observer)
    : loop_(loop),
      dialer_(dialer),
      config_(std::move(config)),
      password_(random_password()),
      observer_(std::move(observer)),
      probe_timer_(loop, [this] { probe(); }),
      timer_(loop, [this] { on_timer(); }) {}

RedisServer::~RedisServer() {
  stop_probing();
  end_watch_.reset();
  child_.kill_and_reap();
}

RedisEndpoint RedisServer::endpoint() const {
  RedisEndpoint redis;
  redis.endpoint.unix_path = path("redis.sock");
  redis.user = kUser;
  redis.password = password_;
  return redis;
}

void RedisServer::transition(State to, const std::string& reason) {
  const bool legal = [&] {
    switch (state_) {
      case State::kStopped:
        return to == State::kStarting;
      case State::kStarting:
        return to != State::kStarting;
      case State::kReady:
        return to == State::kBackingOff || to == State::kStopping;
      case State::kBackingOff:
        return to == State::kStarting || to == State::kStopped;
      case State::kStopping:
        return to == State::kStopped;
    }
    return false;
  }();
  CHECK(legal);
  state_ = to;
  if (observer_) observer_(to, reason);
}

Status RedisServer::start(std::function<void(Status)> ready) {
  CHECK(state_ == State::kStopped);
  RETURN_IF_ERROR(prepare_folder());
  RETURN_IF_ERROR(end_stale());
  backoff_ = kBackoffMin;
  restarts_ = 0;
  if (auto spawned = spawn(); !spawned) {
    lock_.reset();
    return spawned;
  }
  ready_ = std::move(ready);
  transition(State::kStarting, "asked to");
  return ok();
}

Status RedisServer::prepare_folder() {
  const std::string doing = "start redis-server in " + config_.folder;
  const bool printable = std::all_of(config_.folder.begin(), config_.folder.end(),
                                     [](char c) { return c >= ' ' && c != '\x7f'; });
  if (!config_.folder.starts_with('/') || !printable) {
    return fail(ErrorCode::kInvalidArgument, doing + ": not an absolute path in plain characters");
  }
  if (path("redis.sock").size() > kUnixPathBytesMax) {
    return fail(ErrorCode::kInvalidArgument,
                doing + ": the path is too long for a Unix socket (107 bytes)");
  }
  if (mkdir(config_.folder.c_str(), 0700) != 0 && errno != EEXIST) return errno_error(doing);
  lock_.reset(open(path("node.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_.valid()) return errno_error(doing + ": open node.lock");
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    lock_.reset();
    return fail(ErrorCode::kAlreadyExists, doing + ": another node uses this folder");
  }
  return ok();
}

// The pid file is ours, not Redis's own: "PID START_TICKS".
Status RedisServer::end_stale() const {
  std::ifstream file(path("redis.pid"));
  pid_t pid = 0;
  unsigned long long start = 0;
  if (!(file >> pid >> start) || pid <= 1) return ok();
  // The descriptor first, then the question who it is: in between nobody else can become it.
  const UniqueFd pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd.valid()) return ok();
  const auto now = process_start_ticks(pid);
  if (!now || *now != start) return ok();
  if (end_process(pidfd, kStaleGrace)) return ok();
  return fail(ErrorCode::kDeadlineExceeded, "start redis-server: the one of a dead node, pid " +
                                                std::to_string(pid) + ", does not end");
}

// The default user cannot log in, but must be allowed everything: Redis 7.0 loads its append-only
// file in that user's name, and drops every transaction and script he might not run.
std::string RedisServer::configuration() const {
  return "port 0\n"
         "unixsocket " +
         quoted(path("redis.sock")) +
         "\n"
         "unixsocketperm 700\n"
         "dir " +
         quoted(config_.folder) +
         "\n"
         "daemonize no\n"
         "loglevel warning\n"
         "save \"\"\n"
         "appendonly yes\n"
         "appendfsync " +
         append_fsync(config_.fsync) +
         "\n"
         "latency-tracking no\n"         // a histogram a command, of which nobody asks
         "notify-keyspace-events Ktz\n"  // changed streams and sorted sets: what triggers wait for
         "user default off ~* &* +@all\n"
         "user " +
         kUser + " on >" + password_ + " ~* &* +@all\n";
}

Status RedisServer::spawn() {
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
  const UniqueFd log(open(path("redis.log").c_str(), flags, 0600));
  if (!log.valid()) return errno_error("start redis-server: open its log");
  log_bytes_before_ = lseek(log.get(), 0, SEEK_END);
  ASSIGN_OR_RETURN(child_, ChildProcess::spawn({config_.binary, "-"}, configuration(), log));
  const auto start = process_start_ticks(child_.pid());
  std::ofstream(path("redis.pid")) << child_.pid() << ' ' << start.value_or(0) << '\n';
  end_watch_.emplace(loop_, child_.pidfd(), [this](int, int) { on_ended(); });
  end_watch_->start(UV_READABLE);
  timer_.start(kReadyTimeout);
  probe_timer_.start(kProbeInterval);
  return ok();
}

void RedisServer::probe() {
  probe_dial_ =
      dialer_.dial({"redis", endpoint().endpoint}, kProbeTimeout, [this](Result<UniqueFd> fd) {
        probe_dial_ = {};
        if (!fd) return probe_timer_.start(kProbeInterval);
        on_probe_connected(*std::move(fd));
      });
}

void RedisServer::on_probe_connected(UniqueFd fd) {
  probe_fd_ = std::move(fd);
  // While it loads its file, it answers PING with LOADING.
  const std::vector<RedisCommand> commands{{"AUTH", kUser, password_}, {"PING"}};
  probe_talk_.emplace(loop_, probe_fd_.get(), commands, kProbeTimeout,
                      [this](Result<std::vector<RedisReplyPtr>> replies) {
                        probe_talk_.reset();
                        probe_fd_.reset();
                        if (!replies) return probe_timer_.start(kProbeInterval);
                        on_probe_reply(*replies);
                      });
}

void RedisServer::on_probe_reply(const std::vector<RedisReplyPtr>& replies) {
  if (replies.back()->type != REDIS_REPLY_STATUS) return probe_timer_.start(kProbeInterval);
  timer_.stop();
  backoff_ = kBackoffMin;
  transition(State::kReady, "it answers");
  tell_ready(ok());
}

void RedisServer::stop_probing() {
  probe_timer_.stop();
  if (probe_dial_) dialer_.cancel(std::exchange(probe_dial_, DialId()));
  probe_talk_.reset();
  probe_fd_.reset();
}

void RedisServer::on_ended() {
  end_watch_.reset();
  stop_probing();
  timer_.stop();
  const std::string how = child_.reap();
  if (state_ == State::kStopping) {
    lock_.reset();
    transition(State::kStopped, how);
    if (const auto done = std::exchange(stopped_, nullptr)) done();
    return;
  }
  const std::string reason = how + last_words();
  timer_.start(backoff_);
  backoff_ = std::min(backoff_ * 2, kBackoffMax);
  transition(State::kBackingOff, reason);
  // As a shell says it of a program that is not there.
  const char* hint = how == "exited with status 127" ? kHowToGetOne : "";
  tell_ready(fail(ErrorCode::kUnavailable, "start redis-server: " + reason + hint));
}

void RedisServer::on_timer() {
  switch (state_) {
    case State::kStarting:  // too slow: on_ended() goes on from here
    case State::kStopping:
      return child_.signal(SIGKILL);
    case State::kBackingOff:
      break;
    case State::kStopped:
    case State::kReady:
      CHECK(false);
  }
  ++restarts_;
  if (const auto spawned = spawn(); spawned) {
    return transition(State::kStarting, "restart " + std::to_string(restarts_));
  }
  timer_.start(backoff_);
  backoff_ = std::min(backoff_ * 2, kBackoffMax);
}

void RedisServer::stop(std::function<void()> done) {
  CHECK(state_ != State::kStopping);
  stop_probing();
  timer_.stop();
  tell_ready(fail(ErrorCode::kCancelled, "start redis-server: asked to stop"));
  if (!child_.running()) {
    if (state_ == State::kBackingOff) transition(State::kStopped, "asked to");
    lock_.reset();
    return loop_.defer(std::move(done));
  }
  stopped_ = std::move(done);
  transition(State::kStopping, "asked to");
  child_.signal(SIGTERM);
  timer_.start(kStopGrace);
}

void RedisServer::tell_ready(Status status) {
  if (const auto ready = std::exchange(ready_, nullptr)) ready(std::move(status));
}

// ": <the last line it wrote>", or nothing.
std::string RedisServer::last_words() const {
  std::ifstream log(path("redis.log"), std::ios::binary | std::ios::ate);
  const auto size = static_cast<std::int64_t>(log.tellg());
  if (size <= log_bytes_before_) return {};
  const auto window = static_cast<std::int64_t>(kLastWordsBytesMax);
  log.seekg(std::max(log_bytes_before_, size - window));
  std::string line;
  std::string last;
  while (std::getline(log, line)) {
    if (!line.empty()) last = line;
  }
  return last.empty() ? "" : ": " + last;
}

}  // namespace subito::bindings
