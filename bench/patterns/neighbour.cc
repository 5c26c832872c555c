#include "bench/patterns/neighbour.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <fstream>
#include <optional>
#include <thread>

#include "bench/bed.h"
#include "bench/interrupt.h"
#include "bench/node_client.h"
#include "bench/patterns/reads.h"
#include "bench/peers/listening_handler.h"
#include "bench/temp_folder.h"

namespace subito::bench {

namespace {

constexpr const char* kNeighbour = "neighbour";
constexpr const char* kNeighbourHost = "10.92.0.40";  // beside those of more.sh
constexpr std::chrono::milliseconds kNeighbourBegins{300};
constexpr std::chrono::seconds kNeighbourMax{30};  // of a turn
constexpr double kAnswersMin = 1'020;              // p99 can be told from 1,000 on

// Deployed, and gone with it.
class Deployed {
 public:
  static Result<Deployed> make(const Running& running) {
    Deployed deployed(running);
    const std::string name = running.kind().name;
    if (name == kContainers) {
      RETURN_IF_ERROR(deployed.as_container());
    } else if (name == kServerless) {
      RETURN_IF_ERROR(deployed.as_function());
    } else {
      ASSIGN_OR_RETURN(const std::string echo, find_function("echo"));
      ASSIGN_OR_RETURN(ListeningHandler handler, ListeningHandler::start(echo, "127.0.0.1:0"));
      deployed.address_ = handler.address();
      deployed.handler_.emplace(std::move(handler));
    }
    return deployed;
  }
  Deployed(Deployed&& other) noexcept
      : running_(other.running_),
        handler_(std::move(other.handler_)),
        daemon_(std::exchange(other.daemon_, nullptr)),
        address_(std::move(other.address_)),
        path_(std::move(other.path_)) {}
  Deployed& operator=(Deployed&&) = delete;
  ~Deployed() {
    if (daemon_ != nullptr) (void)daemon_->docker({"rm", "--force", kNeighbour});
  }

  Traffic traffic() const {
    Traffic traffic;
    traffic.server = address_;
    traffic.request.path = path_;
    traffic.connections =
        std::max(1U, std::thread::hardware_concurrency());  // as many burn at once
    return traffic;
  }

 private:
  explicit Deployed(const Running& running) : running_(&running) {}

  Status as_container() {
    const Daemon& daemon = *running_->daemon();
    ASSIGN_OR_RETURN(const TempFolder folder, TempFolder::make());
    std::error_code error;
    ASSIGN_OR_RETURN(const std::string echo, find_function("echo"));
    std::filesystem::copy_file(echo, folder.path() + "/echo", error);
    if (error) return errno_error("copy the neighbour", error.value());
    std::ofstream(folder.path() + "/Dockerfile")
        << "FROM scratch\nCOPY echo /echo\nUSER 65534:65534\n";
    RETURN_IF_ERROR(
        daemon.docker({"build", "-q", "-t", "localhost/subito-shop/neighbour", folder.path()}));
    daemon_ = &daemon;
    RETURN_IF_ERROR(daemon.docker(
        {"run", "-d", "--name", kNeighbour, "--network", "subito-shop_shop", "--ip", kNeighbourHost,
         "--memory", "128m", "--pids-limit", "64", "--read-only", "--cap-drop", "ALL",
         "localhost/subito-shop/neighbour", "/echo", "--listen", "0.0.0.0:8080"}));
    address_ = {"", kNeighbourHost, 8080};
    return ok();
  }
  Status as_function() {
    ASSIGN_OR_RETURN(NodeClient api,
                     NodeClient::connect(own_program(), running_->state() + "/api.sock"));
    ASSIGN_OR_RETURN(const std::string echo, find_function("echo"));
    RETURN_IF_ERROR(api.deploy({kNeighbour, echo, kStartModes.front(), "5s"}));
    address_ = running_->shop();
    path_ = burn_path(kNeighbour, kNeighbourBurnMs);
    return ok();
  }

  const Running* running_;
  std::optional<ListeningHandler> handler_;
  const Daemon* daemon_ = nullptr;  // of its container, once there may be one
  ServerAddress address_;
  std::string path_ = "/?burn_ms=" + std::to_string(kNeighbourBurnMs);
};

// A process of ours that asks it without pause until it is ended.
Result<Child> start_asking(const Running& running, const Traffic& traffic) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("fork who asks the neighbour");
  if (pid > 0) return Child(pid);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  const auto stay = NetworkStay::enter(running.network());
  auto generator = stay ? Generator::open(traffic) : Result<Generator>(stay.error());
  if (generator) (void)generator->run(kNeighbourMax);
  ::_exit(0);
}

Result<std::string> answer_of(const Running& running, const Traffic& traffic) {
  ASSIGN_OR_RETURN(const NetworkStay stay, NetworkStay::enter(running.network()));
  for (int tries = 0;; ++tries) {
    auto client = HttpClient::connect(traffic.server);
    if (client) {
      ASSIGN_OR_RETURN(HttpReply reply, client->call("GET", traffic.request.path));
      if (reply.status == 200) return std::move(reply.body);
      return fail(ErrorCode::kProtocol,
                  "ask the neighbour: status " + std::to_string(reply.status));
    }
    if (tries == 50) return std::move(client).error();
    if (!rest(std::chrono::milliseconds(20))) {
      return fail(ErrorCode::kCancelled, "ask the neighbour: interrupted");
    }
  }
}

Result<TrafficResult> turn(const Running& running, const Traffic& reads,
                           std::chrono::nanoseconds time, const Traffic* neighbour) {
  Child asking;
  if (neighbour != nullptr) {
    ASSIGN_OR_RETURN(asking, start_asking(running, *neighbour));
    if (!rest(kNeighbourBegins)) return fail(ErrorCode::kCancelled, "measure: interrupted");
  }
  ASSIGN_OR_RETURN(Slice slice, read_slice(running, reads, time));
  if (slice.traffic.interrupted) return fail(ErrorCode::kCancelled, "measure: interrupted");
  return std::move(slice.traffic);
}

}  // namespace

Result<TrafficResult> measure_neighbour(const Running& running, double per_second, Book& book) {
  const std::string name = running.kind().name;
  if (name == kHosts) {
    return fail(ErrorCode::kNotFound,
                "simulated hosts share this one's processor; a real host has no neighbour");
  }
  constexpr std::uint32_t kReaders = 16;
  ASSIGN_OR_RETURN(const Traffic reads, reads_of(running, kReaders, per_second));
  ASSIGN_OR_RETURN(const Deployed deployed, Deployed::make(running));
  Traffic burning = deployed.traffic();
  ASSIGN_OR_RETURN(burning.expected.body, answer_of(running, burning));
  const auto time = std::chrono::nanoseconds(
      static_cast<std::int64_t>(1e9 * std::ceil(kAnswersMin / per_second / kNeighbourTurns)));
  TrafficResult quiet;
  TrafficResult beside;
  for (std::uint32_t turns = 0; turns < kNeighbourTurns; ++turns) {
    ASSIGN_OR_RETURN(const TrafficResult one, turn(running, reads, time, nullptr));
    add(quiet, one);
    ASSIGN_OR_RETURN(const TrafficResult other, turn(running, reads, time, &burning));
    add(beside, other);
  }
  const auto before = percentile_us(quiet, 0.99);
  const auto after = percentile_us(beside, 0.99);
  if (before && after) {
    book.add(name, metric::kQuietP99, *before);
    book.add(name, metric::kNeighbourP99, *after);
    book.add(name, metric::kNeighbourRatio, *after / *before);
  }
  add(quiet, beside);
  return quiet;
}

}  // namespace subito::bench
