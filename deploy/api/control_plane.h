// ControlPlane: what the control API asks of a node. Implemented by the node, and by a fake in the
// tests of API and command line; called by ApiHandler alone.
//
// Lives on the node's control loop: every call and every callback is made on that thread. A
// callback handed to a call is called exactly once, never from inside that call. Subscribers are
// called once an event or record, in the order things happened, until unsubscribe(); they may
// unsubscribe from inside the callback but must not call anything else of the plane there.
//
// A function is named by its qualified name (deploy/manifest/qualified_name.h) in all of this.
//
// Views are snapshots: plain values that belong to the caller. Times are Unix nanoseconds, so that
// a reader reckons ages by its own clock; durations are microseconds where the name says _us.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "deploy/access/token_book.h"
#include "deploy/api/settings_plane.h"
#include "deploy/manifest/function.pb.h"
#include "deploy/manifest/name_space.h"
#include "runtime/base/id.h"
#include "runtime/base/result.h"

namespace subito::api {

using SubscriptionId = Id<struct SubscriptionTag>;

// Where a record of a log came from.
enum class LogStream : std::uint8_t {
  kSdk,     // the function's logger: structured
  kStdout,  // what it wrote to its standard output or error, a line a record
  kSystem,  // the node, about the pod: crashed, out of memory, protocol broken
};
enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };

struct LogRecord {
  std::int64_t unix_ns = 0;
  std::string function;
  std::string pod;  // "catalogue-7"
  LogLevel level = LogLevel::kInfo;
  LogStream stream = LogStream::kSdk;
  std::string message;
  std::string fields_json;     // further fields as one JSON object, or empty
  std::string request_id;      // empty: not on behalf of a request, or nobody knows of which
  std::string trace_id = {};   // of W3C Trace Context, 32 hex digits; empty as request_id
  std::uint64_t revision = 0;  // that the pod ran; 0: none
};

struct LogQuery {
  std::string function;            // required
  std::size_t tail = 200;          // the last so many records; at most kLogTailMax
  std::int64_t since_unix_ns = 0;  // only records from then on; 0: all that is kept
  // Only the last pod that ended unasked (crashed, out of memory, ...); if none did, the one that
  // ended last.
  bool previous = false;
};
inline constexpr std::size_t kLogTailMax = 10'000;

// What became of a function's log since the node started.
struct LogFacts {
  std::uint64_t lost = 0;  // lines: it logged faster than is kept
  std::uint64_t unwritten =
      0;              // lines that are in memory alone, or were: the disk did not take them
  std::string fault;  // why, while it does not; empty: it does
};

// Exceptions and crashes of one function that are equal: by type and by the names on their stacks.
struct ExceptionView {
  std::string function;
  std::string type;   // "std::out_of_range", "SIGSEGV", "exited with status 3"
  std::string place;  // the first frame of the function's own code; empty: not known
  std::uint64_t count = 0;
  std::int64_t first_unix_ns = 0;
  std::int64_t last_unix_ns = 0;
  // The rest is of the last one.
  std::string message;
  std::uint64_t revision = 0;
  std::string pod;
  std::string request_id;  // empty: it worked on none
  std::string trace_id;
  std::vector<std::string> frames;  // innermost first; of the first one that could be named
};

// An invocation that is over, for those who follow the requests of its function.
struct RequestRecord {
  std::int64_t unix_ns = 0;  // of its end
  std::string function;
  std::uint64_t revision = 0;
  std::string pod;  // empty: it reached none, or that pod is gone
  std::string request_id;
  std::string method;
  std::string path;   // as the function sees it, without its query; cut at kRequestPathBytesMax
  int status = 0;     // 0: the client left before the answer was whole
  std::string start;  // "warm", "pooled", "fresh"; empty: it reached no pod
  std::int64_t queue_us = 0;    // arrival to a pod
  std::int64_t start_us = 0;    // that it waited for the start of its pod, 0 for a warm one
  std::int64_t handler_us = 0;  // from then to the end of its answer
};
inline constexpr std::size_t kRequestPathBytesMax = 1024;

// Something happened to a function or a pod of it.
struct Event {
  std::int64_t unix_ns = 0;
  std::string function;
  std::string pod;  // empty: about the function as a whole
  // One CamelCase word for programs: PodStarted, PodAsleep, PodCrashed, PodOutOfMemory,
  // PodStartFailed, PodStopped, Deployed, DeployFailed, Scaled, Removed, CrashLoop, ...
  std::string reason;
  // For people, without the name in front of it: "started 1.1 ms pooled, 1 waiting: no pod runs",
  // "asleep after 4 s idle, 12 requests".
  std::string message;
};
inline constexpr std::size_t kEventsKept = 50;  // per function, for get_function()

enum class PodState : std::uint8_t { kStarting, kIdle, kBusy, kDraining, kStopped };

struct PodView {
  std::string name;  // "catalogue-7": function and a number that counts up
  std::string function;
  std::uint64_t revision = 0;
  PodState state = PodState::kStarting;
  // How it really started: a pooled function's pod is fresh when no empty sandbox was left.
  manifest::StartMode start_mode = manifest::POOLED;
  std::int64_t start_us = 0;  // decision to first sign of life; 0 while starting
  std::int64_t started_unix_ns = 0;
  std::uint64_t requests_served = 0;
  std::uint32_t in_flight = 0;
  std::uint64_t memory_bytes = 0;  // as the cgroup counts it; 0: not known
  std::int32_t host_pid = 0;       // of its first process, as the node sees it; 0: not known yet
};

// What is kept ready for everybody: empty sandboxes that belong to no function.
struct ReadyPool {
  std::uint32_t sandboxes = 0;
  std::uint64_t bytes = 0;  // all together, the kernel's share included where it can be told
  // And for single functions: the templates of those whose pods start so.
  std::uint32_t templates = 0;
  std::uint64_t template_bytes = 0;
};

// The template of a function whose pods start as copies of one.
struct TemplateFacts {
  bool ready = false;              // until then pods start pooled
  std::uint64_t memory_bytes = 0;  // kept for it while nothing runs
  std::string words;  // "ready", "refused: it has started 2 threads before serve() ..."
};

enum class FunctionState : std::uint8_t {
  kAsleep,    // no pod, ready to be called
  kStarting,  // pods start, none is there yet
  kReady,     // at least one pod is there
  kFailing,   // its pods do not stay up; calls are refused while it backs off
};

// Why a function has as many pods as it has.
struct ScalingFacts {
  // The scheduler's last decision with its numbers: "started a pod: waiting costs more than
  // starting (3 waiting, 15 ms expected, a start takes 1.1 ms)".
  std::string decision;
  std::int64_t decided_unix_ns = 0;  // 0: none was made since the node started
  // Its numbers: invocations that waited, how long they were expected to wait for the pods there
  // were (0: not known, or nobody waited), pods that the policy wanted whether or not anybody did.
  std::uint32_t waiting = 0;
  std::int64_t expected_wait_us = 0;
  std::uint32_t pods_wanted = 0;
  std::int64_t service_us = 0;  // mean time of an invocation; 0 before the first
  std::int64_t cpu_us = 0;      // mean time of an invocation on a core; 0: not told
  std::int64_t start_us = 0;    // mean time of a start; what is assumed before the first
  // How long an idle pod stays that the policy wants to keep no longer; -1: not known.
  std::int64_t keep_us = -1;
};

enum class BreakerState : std::uint8_t {
  kClosed,    // calls are made
  kOpen,      // none is
  kHalfOpen,  // one at a time is, or will be with the next call, to see how it ends
};

// The circuit breaker of the calls of one function to another, shared by all its pods.
struct BreakerView {
  std::string call;  // whom it calls
  BreakerState state = BreakerState::kClosed;
  std::int64_t since_unix_ns = 0;  // closed: since it was open last, 0: never; else since it opened
  std::uint64_t calls = 0;         // within the window, that ended; none while it is not closed
  std::uint64_t failures = 0;      // of these
  std::string last_failure;        // "queue-full: ...", "it answered 503"; empty: there was none
  std::int64_t last_failed_unix_ns = 0;
  bool on_trial = false;         // half-open: the one call that is let through is under way
  std::int64_t next_try_us = 0;  // open: until then none is made
  // Since the breaker was made. For metrics: not told by the API.
  std::uint64_t times_opened = 0;
  std::uint64_t calls_refused = 0;
};

// How often a function may be called.
struct RateLimitView {
  std::string limit;          // "total", "perCaller", "callers", "namespace"
  std::string words;          // "100 per 1s, at once 200"
  std::uint64_t refused = 0;  // of it since the node started
};

// What wakes a function beside requests.
struct TriggerView {
  std::string name;
  std::string kind;  // "stream", "schedule", "due"
  std::string what;  // the whole key in Redis, or the cron expression
  std::string path;
  // In words: "waiting", "delivering 1", "backing off with 1, next try in 3.2 s", "waits for Redis:
  // ...".
  std::string state;
  bool polls = false;  // its Redis does not tell of changes: it is asked each second
  // Since the node started, or the trigger was changed.
  std::uint64_t delivered = 0;
  std::uint64_t failed = 0;
  std::uint64_t dead_letters = 0;
  std::optional<std::uint64_t> waiting;  // entries or due members not yet taken, at the last look
  std::int64_t next_unix_ns = 0;         // 0: not known, or nothing is due
  std::string last_failure;              // empty: none yet
};

// What could not be delivered.
struct DeadLetterView {
  std::string id;  // "history/1764146353000-0": its trigger, its place among the dead letters
  std::string trigger;
  std::int64_t unix_ns = 0;  // when it was given up
  std::string event_id;      // ce-id of the deliveries
  std::string type;
  std::string why;
  std::uint32_t deliveries = 0;
};
// Of one list, and of all that are replayed or deleted by one request.
inline constexpr std::size_t kDeadLettersMax = 1000;

// Which dead letters, and what to do with them.
struct DeadLetterChoice {
  std::string id;       // empty: all
  std::string trigger;  // of this trigger; empty: of any
  bool replay = false;  // deliver them again; else they are deleted
};

struct FunctionView {
  manifest::Function manifest;        // of the current revision, defaults filled in
  std::uint64_t revision = 0;         // the current one
  std::string artefact;               // SHA-256 of its binary, 64 lower-case hex digits
  std::int64_t created_unix_ns = 0;   // of the first revision
  std::int64_t deployed_unix_ns = 0;  // of the current revision
  bool scaled = false;                // by scale(), since it was deployed
  FunctionState state = FunctionState::kAsleep;
  // The state in words, with what to know: "asleep", "2 pods, 5 waiting",
  // "failing: exited with status 1, next start in 3.2 s".
  std::string state_words;
  bool out_of_service = false;  // no pod of it can be started: its artefact is gone
  std::uint32_t pods_starting = 0;
  std::uint32_t pods_idle = 0;
  std::uint32_t pods_busy = 0;
  std::uint32_t pods_draining = 0;
  std::uint32_t waiting = 0;          // invocations that wait for a pod
  std::uint64_t requests_served = 0;  // since the node started
  std::uint64_t requests_failed = 0;  // answered 5xx, by itself or by the node in its place
  std::optional<TemplateFacts> kept_template;  // of start mode template only
  ScalingFacts scaling;
  LogFacts logs;
  std::uint64_t exceptions = 0;       // thrown or died of since the node started
  std::size_t exception_groups = 0;   // equal ones together
  std::vector<BreakerView> breakers;  // by the name of whom it calls
  std::vector<RateLimitView> rate_limits;
  std::vector<TriggerView> triggers;  // by name
  std::string url;                    // "http://127.0.0.1:8080/function/NAME"; empty: no client
  std::vector<Event> events;          // oldest first; only by get_function(), at most kEventsKept
};

struct RevisionView {
  std::string function;
  std::uint64_t number = 0;
  bool current = false;
  std::string artefact;
  std::int64_t created_unix_ns = 0;
  std::uint32_t traffic_percent = 0;
  std::string message;          // of whoever deployed it, may be empty
  manifest::Function manifest;  // only by get_revision()
};

struct TrafficShare {
  std::uint64_t revision = 0;
  std::uint32_t percent = 0;
};

enum class RolloutState : std::uint8_t {
  kComplete,     // the current revision serves, or those the traffic was set to
  kProgressing,  // pods of the target take the place of those of the current revision
  kPaused,       // midway: both serve
  kFailed,       // pods of the target did not come up: the current revision serves on
};

// A revision that serves, or is about to.
struct ServingView {
  std::uint64_t revision = 0;
  std::uint32_t percent = 0;  // of the traffic, rounded
  std::uint32_t pods = 0;     // that start or are ready
  std::uint32_t ready = 0;
};

struct RolloutView {
  std::string function;
  RolloutState state = RolloutState::kComplete;
  // For people: "revision 4 serves", "1 of 4 pods of revision 5 ready, 3 of revision 4 left".
  std::string words;
  std::string strategy;        // "at-once", "rolling"
  std::uint64_t revision = 0;  // the current one
  std::uint64_t target = 0;    // of the last rollout that is not complete; 0: none
  std::uint64_t previous = 0;  // that undo goes back to; 0: none
  std::int64_t changed_unix_ns = 0;
  std::vector<ServingView> serving;  // the current one first
};

struct NodeInfo {
  std::string version;      // "0.1.0"
  std::string gateway_url;  // "http://127.0.0.1:8080", without a slash at the end
  std::string data_folder;
  std::int64_t started_unix_ns = 0;
  std::int32_t pid = 0;
};

// Something that the node needs: "disk", "logs", "redis".
struct Condition {
  std::string name;
  bool ok = true;
  bool requests_need_it = false;  // while it is not well the node is not ready
  std::string fault;              // what is wrong and what to do, for people; empty: it is well
  std::int64_t since_unix_ns = 0;
};

struct DeployOptions {
  // Start one pod of the new revision once before it becomes current.
  bool check = true;
  // Keep it aside: it gets no traffic until set_traffic(), or until undo names it. A function's
  // first revision serves anyway.
  bool traffic = true;
  std::string message;  // why, for the history; at most kMessageBytesMax
};
inline constexpr std::size_t kMessageBytesMax = 1024;

struct DeployReceipt {
  std::string name;
  std::uint64_t revision = 0;
  std::string url;  // as FunctionView's
  // False: not asked for. The next two are only of worth when it is true.
  bool checked = false;
  manifest::StartMode start_mode = manifest::POOLED;
  std::int64_t start_us = 0;
  // Same manifest and binary as the current revision: nothing was changed, `revision` is that one.
  bool unchanged = false;
  bool rolling = false;  // it takes over pod by pod: rollout() tells how far it is
  bool aside = false;    // it gets no traffic yet
};

// Nothing was changed: the revision that was current still is.
struct DeployFailure {
  Error error;
  std::vector<LogRecord> last_logs;    // of the pod that did not come up, oldest first, at most 20
  std::uint64_t current_revision = 0;  // what stays; 0: there was none
};

struct NamespaceView {
  manifest::Namespace name_space;
  std::uint32_t functions = 0;
  store::ObjectCounts objects = {};
  // What its pods take by their limits, those included that end.
  std::uint32_t pods = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t cpu_millicores = 0;
};

// What a namespace of that name had before it was made: older nodes left it.
struct NamespaceLeftovers {
  store::ObjectCounts objects;
  access::CutTokens tokens;
};

// Absent: as it is. A limit of 0: none.
struct NamespaceChange {
  std::optional<std::uint32_t> pods;
  std::optional<std::uint64_t> memory_bytes;
  std::optional<std::uint32_t> cpu_millicores;
  std::optional<std::uint32_t> requests_per_s;
  std::optional<std::vector<std::string>> hosts;
};

class ControlPlane {
 public:
  using DeployCallback = std::function<void(tl::expected<DeployReceipt, DeployFailure>)>;
  using StatusCallback = std::function<void(Status)>;
  using NamespaceCallback = std::function<void(Result<access::CutTokens>)>;
  using EventCallback = std::function<void(const Event&)>;
  using LogsCallback = std::function<void(Result<std::vector<LogRecord>>)>;
  using LogCallback = std::function<void(const LogRecord&)>;
  using RequestCallback = std::function<void(const RequestRecord&)>;

  virtual ~ControlPlane() = default;

  // Makes a new revision, starts one pod of it unless told not to, and makes it current. The
  // manifest was validated and has its defaults; the artefact is in the store and was accepted by
  // the ELF check. A second deploy of the same function while one runs: kFailedPrecondition.
  virtual void begin_deploy(const manifest::Function& function, const std::string& artefact,
                            const DeployOptions& options, DeployCallback callback) = 0;
  // Forgets the function and all its revisions; its pods are drained. Called back when the store
  // has forgotten it. Unknown: kNotFound.
  virtual void remove(std::string_view name, StatusCallback callback) = 0;
  // Changes minimum and maximum of the current revision, without a new one; absent: as it is.
  // kNotFound; kInvalidArgument when the minimum would exceed the maximum.
  virtual Status scale(std::string_view name, std::optional<std::int32_t> min,
                       std::optional<std::int32_t> max) = 0;

  virtual std::vector<NamespaceView> list_namespaces() = 0;                // by name
  virtual Result<NamespaceView> get_namespace(std::string_view name) = 0;  // kNotFound
  // kNotFound. Asks memory alone: whatever names a namespace asks this first.
  virtual Status namespace_is_there(std::string_view name) const = 0;
  // It is empty, and no token opens it; what was cleared for that is told. kAlreadyExists: it is
  // there, or a host is another's. kInvalidArgument: see name_space.h.
  virtual Result<NamespaceLeftovers> create_namespace(const manifest::Namespace& wanted) = 0;
  virtual Status set_namespace(std::string_view name, const NamespaceChange& change) = 0;
  // kFailedPrecondition while functions, config or secrets are in it, unless they are to go as
  // well. Tokens lose their scopes of it; which did is told.
  virtual void delete_namespace(std::string_view name, bool with_contents,
                                NamespaceCallback callback) = 0;

  virtual std::vector<FunctionView> list_functions() = 0;  // by name
  virtual Result<FunctionView> get_function(std::string_view name) = 0;
  virtual std::vector<PodView> list_pods() = 0;  // by function, then number; none that is gone
  virtual ReadyPool ready_pool() = 0;
  virtual Result<std::vector<RevisionView>> list_revisions(
      std::string_view name) = 0;  // newest first
  virtual Result<RevisionView> get_revision(std::string_view name, std::uint64_t number) = 0;

  virtual Result<RolloutView> rollout(std::string_view name) = 0;
  // Both kFailedPrecondition when there is nothing to pause or resume.
  virtual Status pause_rollout(std::string_view name) = 0;
  virtual Status resume_rollout(std::string_view name) = 0;
  // An earlier revision serves again, itself, under its own number; `number` 0: the rollout or
  // split under way is taken back, else the one before the current. As deploys do it starts one pod
  // first and follows that revision's strategy.
  virtual void undo_rollout(std::string_view name, std::uint64_t number,
                            DeployCallback callback) = 0;
  // Which revisions serve, in percent of the invocations, 100 together. kNotFound;
  // kFailedPrecondition while a rollout rolls, or of a revision that cannot run.
  virtual Status set_traffic(std::string_view name, const std::vector<TrafficShare>& shares) = 0;
  virtual NodeInfo node_info() = 0;
  virtual SettingsPlane& settings() = 0;  // config objects and secrets
  virtual std::vector<Condition> conditions() = 0;

  using DeadLettersCallback = std::function<void(Result<std::vector<DeadLetterView>>)>;
  using CountCallback = std::function<void(Result<std::size_t>)>;
  // `trigger` empty: of all. The oldest first, at most kDeadLettersMax. kNotFound, kUnavailable
  // (Redis is away).
  virtual void list_dead_letters(std::string_view name, std::string_view trigger,
                                 DeadLettersCallback callback) = 0;
  // Calls back with how many. kNotFound also for an id that there is not; kFailedPrecondition for a
  // replay of what the stream has no more.
  virtual void settle_dead_letters(std::string_view name, const DeadLetterChoice& choice,
                                   CountCallback callback) = 0;

  // `function` empty: all of them.
  virtual SubscriptionId subscribe_events(std::string_view function, EventCallback callback) = 0;
  // What was said up to this call and is kept, oldest first, bounded by the query. kNotFound for an
  // unknown function; kFailedPrecondition for the previous pod when none has ended.
  virtual void logs(const LogQuery& query, LogsCallback callback) = 0;
  // Exceptions and crashes since the node started, equal ones as one. By function, the one seen
  // last first. `function` empty: of all.
  virtual std::vector<ExceptionView> list_exceptions(std::string_view function) = 0;
  // New records of that function, or of all if it is empty, from now on: nothing is lost or doubled
  // between logs() and this when both are called in one turn of the loop.
  virtual SubscriptionId subscribe_logs(std::string_view function, LogCallback callback) = 0;
  // Requests of that function as they end, from now on. While nobody subscribes they are not even
  // looked at.
  virtual SubscriptionId subscribe_requests(std::string_view function,
                                            RequestCallback callback) = 0;
  // Ends any kind; an unknown id is ignored.
  virtual void unsubscribe(SubscriptionId id) = 0;
};

}  // namespace subito::api
