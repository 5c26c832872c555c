"""The floors of the house: what each folder may include. docs/architecture.md tells why.
Includes point downwards only; within one floor only inside a folder or as an exception here."""

# Longest matching folder counts.
FLOOR = {
    "runtime/base": 0,
    "scheduler": 1,
    "autoscaler": 1,
    "runtime/protocol": 1,
    "runtime/http": 1,
    "runtime/symbols": 1,
    "runtime/traces": 1,
    "runtime/triggers": 1,
    "runtime/metrics": 1,
    "deploy/manifest": 1,
    "runtime/sandbox": 2,
    "runtime/loop": 2,
    "runtime/server": 2,
    "runtime/tls": 2,
    "runtime/pods": 3,
    "runtime/bindings": 3,
    "runtime/gateway": 3,
    "deploy/store": 3,
    "deploy/access": 3,
    "deploy/api": 4,
    "deploy/cli": 4,
    "deploy/observe": 4,
    "runtime/node": 4,
}

# Beside what lies below: who may include whom on the same floor, and why.
SAME_FLOOR = {
    ("scheduler", "autoscaler"),  # the scheduler asks it how many
    ("deploy/manifest", "runtime/protocol"),  # the ELF note names the protocol
    ("deploy/manifest", "runtime/triggers"),  # a cron expression is checked where it is read
    ("runtime/triggers", "scheduler"),  # one way to back off
    ("runtime/server", "runtime/loop"),  # a server is connections on a loop
    ("deploy/access", "deploy/store"),  # tokens are kept there
    ("runtime/tls", "runtime/loop"),  # files are looked at by a timer
    ("runtime/tls", "runtime/server"),  # it encrypts the connections of a server
    ("deploy/cli", "deploy/api"),  # the client speaks the API's words
    ("runtime/node", "deploy/api"),  # main wires everybody
    ("runtime/node", "deploy/cli"),
    ("runtime/node", "bench"),  # main hands `subito bench` to the command line
}

# Folders that stand beside the floors, with all they may include of ours.
BESIDE = {
    "runtime/sdk": {"runtime/base", "runtime/protocol"},
    "bench": {"runtime/base", "scheduler", "autoscaler", "runtime/http", "runtime/loop",
              "runtime/protocol",
              "runtime/sandbox"},  # cold-start --breakdown only: what isolation costs, step by step
    "functions": set(),
    "deploy/patterns": {"functions", "runtime/sdk"},  # the monolith links what the shop is
}

# The SDK's own HTTP server (--listen) needs more; it lives in files of these names.
SDK_LISTEN = {"runtime/http", "runtime/loop", "runtime/server"}
SDK_LISTEN_PREFIX = "listen"

PURE = ("scheduler", "autoscaler", "runtime/triggers", "runtime/metrics", "runtime/traces")

# What is pure takes time, observations and a seed, and does nothing itself.
IMPURE_HEADERS = (
    r"uv\.h|thread|stop_token|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier|"
    r"atomic|iostream|fstream|print|syncstream|filesystem|ctime|"
    r"time\.h|unistd\.h|fcntl\.h|pthread\.h|poll\.h|signal\.h|csignal|sys/.*|spdlog/.*|google/.*|"
    r"runtime/loop/.*"
)
IMPURE_WORDS = (
    r"::\s*now\s*\(|\bclock_?(?:\.|->)now\s*\(|\bClock\b|"
    r"\b(?:system|steady|high_resolution)_clock\b|\bSystemClock\b|"
    r"\bwall_clock_nanoseconds\b|\bclock_gettime\b|\bgettimeofday\b|\btime\s*\(\s*(?:0|nullptr)|"
    r"\brandom_device\b|\bs?rand\s*\(|\bgetrandom\b|\b(?:secure_)?getenv\b|\benviron\b|"
    r"\bstd\s*::\s*(?:cout|cerr|clog|cin|j?thread|(?:\w+_)?mutex|async|lock_guard|atomic\w*)\b|"
    r"\bv?f?printf\s*\(|\bf?puts\s*\(|\bstd(?:out|err|in)\b|\bfopen\b|"
    r"\bspdlog\b|\bsleep(?:_for|_until)?\s*\(|\bthread_local\b"
)

# Beside the pure ones: their code knows no thread, so that their own tests are left out under the
# thread sanitizer (ONE_THREAD of subito_test). Who uses them from threads tests that.
ONE_THREAD = ("runtime/http", "runtime/metrics", "runtime/protocol", "runtime/symbols",
              "runtime/server", "runtime/tls", "runtime/gateway", "deploy/manifest", "deploy/store")

THREAD_HEADERS = (
    r"thread|stop_token|mutex|shared_mutex|condition_variable|future|semaphore|latch|barrier|"
    r"atomic|pthread\.h"
)

# Code of functions: it has the SDK and its own folder.
FUNCTIONS = ("functions/", "deploy/templates/")

# What the shop's functions share.
FUNCTIONS_SHARED = "functions/shop/"

# What a function says happened is there for all to read.
FUNCTION_EVENTS = r"functions/\w+/events\.pb\.h"

# What a function may not link: it has the SDK, the system and nlohmann-json.
NOT_IN_FUNCTIONS = r"uv\.h|google/.*|spdlog/.*|fmt/.*|sqlite3\.h|yaml-cpp/.*|CLI/.*|curl/.*|tl/.*"


def folder_of(path):
    """The known folder that holds `path`, or None."""
    known = [f for f in (*FLOOR, *BESIDE) if path.startswith(f + "/")]
    return max(known, key=len, default=None)


def may_include(path, target):
    """None if the file may include `target` (a path from the root), else the reason."""
    ours, theirs = folder_of(path), folder_of(target)
    if ours is None or theirs is None:
        return f"{target} is in no folder that has a floor"
    if ours == theirs or (ours, theirs) in SAME_FLOOR:
        return None
    if ours in BESIDE:
        allowed = set(BESIDE[ours])
        if ours == "runtime/sdk" and path.split("/")[-1].startswith(SDK_LISTEN_PREFIX):
            allowed |= SDK_LISTEN
        return None if theirs in allowed else f"{ours} may not include {theirs}"
    if theirs in BESIDE or FLOOR[theirs] >= FLOOR[ours]:
        return f"{ours} (floor {FLOOR[ours]}) may not include {theirs} " + (
            "(beside the floors)" if theirs in BESIDE else f"(floor {FLOOR[theirs]})")
    return None
