#include "bench/cold_start.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "bench/bed.h"

namespace subito::bench {

namespace {

constexpr std::size_t kEchoBodyBytes = 200;
constexpr const char* kBareProgram = "left out: its bare program answers the echo and empty alone";
constexpr const char* kMapped = "left out: its template keeps the binary in memory";
constexpr const char* kCopied = "left out: its copy of the binary stays in the page cache";
// A private node fills its pool at once; a running one is taken as it is found after a while.
constexpr std::chrono::milliseconds kRunningNodeRest{500};

// Text that no default would produce.
std::string echo_body(std::mt19937_64& random) {
  std::string body(kEchoBodyBytes, ' ');
  for (char& c : body) c = static_cast<char>('a' + random() % 26);
  return body;
}

}  // namespace

const Column* ColdStartResult::find(const std::string& function, const std::string& name) const {
  const auto it = std::find_if(columns.begin(), columns.end(), [&](const Column& column) {
    return column.function == function && column.name == name;
  });
  return it == columns.end() ? nullptr : &*it;
}

std::uint32_t ColdStartResult::errors() const {
  std::uint32_t sum = 0;
  for (const Column& column : columns) sum += column.errors;
  return sum;
}

Result<ColdStartResult> measure_cold_start(const ColdStartOptions& options) {
  ColdStartResult all;
  all.seed = options.seed ? *options.seed : std::random_device()();
  all.rounds = options.count;
  std::vector<std::string> functions = options.functions;
  if (functions.empty()) functions.emplace_back();
  for (const std::string& function : functions) {
    ASSIGN_OR_RETURN(const auto bench, ColdStart::prepare(options, function, all.seed));
    ColdStartResult one = bench->run();
    all.functions.insert(all.functions.end(), one.functions.begin(), one.functions.end());
    all.versions.merge(one.versions);
    std::move(one.columns.begin(), one.columns.end(), std::back_inserter(all.columns));
    all.rounds = std::min(all.rounds, one.rounds);
    all.interrupted = one.interrupted;
    if (all.interrupted) break;
  }
  return all;
}

Result<std::unique_ptr<ColdStart>> ColdStart::prepare(const ColdStartOptions& options,
                                                      const std::string& function,
                                                      std::uint64_t seed) {
  std::unique_ptr<ColdStart> bench(new ColdStart(options));
  const std::string program = own_program();
  bench->random_.seed(seed);
  RETURN_IF_ERROR(bench->choose_function(function));
  for (const std::string& name : kColumnNames) {
    if (!bench->wants(name)) continue;
    bench->result_.columns.push_back({name, {}, {}, 0, "", "", bench->function_});
  }
  ASSIGN_OR_RETURN(TempFolder folder, TempFolder::make());
  bench->folder_.emplace(std::move(folder));
  RETURN_IF_ERROR(bench->open_node(program));
  RETURN_IF_ERROR(bench->open_floors());
  RETURN_IF_ERROR(bench->open_containers());
  RETURN_IF_ERROR(bench->open_forks());
  RETURN_IF_ERROR(bench->learn_answer());
  RETURN_IF_ERROR(bench->measure_kept());
  return bench;
}

// What is started, and what it is asked for.
Status ColdStart::choose_function(const std::string& name) {
  if (!name.empty()) {
    ASSIGN_OR_RETURN(what_, measured_function(name));
    function_ = name;
    binary_path_ = what_->binary;
    request_.method = "GET";
    request_.path = what_->path;
    request_.redis = what_->redis;
  } else {
    ASSIGN_OR_RETURN(binary_path_, function_binary(options_.binary));
    function_ = binary_path_.substr(binary_path_.rfind('/') + 1);
    if (options_.binary.empty()) {
      request_.body = echo_body(random_);
    } else {
      request_.method = "GET";
      request_.path = options_.path;
    }
  }
  result_.functions = {function_};
  return ok();
}

ColdStart::~ColdStart() {
  for (auto& [name, container] : containers_) container.clean();
  if (!node_ && api_) {
    for (const std::string& function : deployed_) (void)api_->remove(function);
  }
}

bool ColdStart::wants(const std::string& column) const {
  return std::find(options_.columns.begin(), options_.columns.end(), column) !=
         options_.columns.end();
}

Status ColdStart::open_node(const std::string& program) {
  if (std::none_of(options_.columns.begin(), options_.columns.end(), by_node)) return ok();
  std::string socket = options_.node_socket;
  if (socket.empty()) {
    ASSIGN_OR_RETURN(PrivateNode node, PrivateNode::start(program, options_.pool_size));
    socket = node.api_socket();
    node_.emplace(std::move(node));
  }
  ASSIGN_OR_RETURN(NodeClient api, NodeClient::connect(program, socket));
  api_.emplace(std::move(api));
  result_.versions["subito"] = api_->facts().version;
  ASSIGN_OR_RETURN(gateway_, parse_gateway_url(api_->facts().gateway_url));
  for (Column& column : result_.columns) {
    if (options_.cold_cache && column.name.starts_with("template")) column.missing = kMapped;
  }
  for (const std::string& mode : kStartModes) {
    if (!wants(mode) && !wants(mode + "-new")) continue;
    if (options_.cold_cache && mode == "template") continue;
    deployed_.push_back("bench-" + mode);
    RETURN_IF_ERROR(deploy(mode));
    if (what_) RETURN_IF_ERROR(seed_function(gateway_, deployed_.back(), *what_));
  }
  if (!node_) {
    rest(kRunningNodeRest);
    ASSIGN_OR_RETURN(const PodCount found, api_->pods());
    empty_sandboxes_ = found.empty_sandboxes;
  } else {
    empty_sandboxes_ = options_.pool_size;
  }
  return ok();
}

// A measured function by way of a manifest, for its bindings.
Status ColdStart::deploy(const std::string& mode) {
  const std::string name = "bench-" + mode;
  if (!what_) return api_->deploy({name, binary_path_, mode});
  MeasuredFunction what = *what_;
  what.binary = binary_path_;
  return deploy_start(*api_, folder_->path(), {name, mode, "instant", 1, 0, std::move(what)});
}

Status ColdStart::open_floors() {
  bare_path_ = binary_path_;
  if (node_ && !deployed_.empty()) {
    ASSIGN_OR_RETURN(bare_path_, link_of_node_copy());
  }
  ASSIGN_OR_RETURN(bare_, open_binary(bare_path_));
  null_.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null_.valid()) return errno_error("open /dev/null");
  return request_.redis ? open_redis() : ok();
}

// For those that no node starts; what they read is seeded as it was in the node's.
Status ColdStart::open_redis() {
  ASSIGN_OR_RETURN(BareRedis redis, BareRedis::start());
  redis_.emplace(std::move(redis));
  FunctionRequest seed = request_;
  seed.method = "POST";
  seed.path = kSeedPath;
  const auto seeded = ask(StartBy::kPosixSpawn, function_command(), seed, kFunctionGrace);
  if (seeded && seeded->answer.status != 200) {
    return fail(ErrorCode::kFailedPrecondition, "seed " + function_ + ": status " +
                                                    std::to_string(seeded->answer.status) + ": " +
                                                    seeded->answer.body.substr(0, 200));
  }
  return seeded ? ok() : Status(Error(seeded.error()).annotate("seed " + function_));
}

// Stays when later deploys have the node collect its own. Until now all it holds is this function.
Result<std::string> ColdStart::link_of_node_copy() const {
  const std::string link = folder_->path() + "/node-copy";
  ASSIGN_OR_RETURN(const std::vector<std::string> copies, node_->artefacts());
  if (::link(copies.front().c_str(), link.c_str()) != 0)
    return errno_error("link " + copies.front());
  return link;
}

// One that is not there, or cannot run here, is a column with a reason instead of figures.
Status ColdStart::open_containers() {
  if (std::none_of(options_.columns.begin(), options_.columns.end(), in_container)) return ok();
  const Status hidden = hide_unified_cgroup();
  for (Column& column : result_.columns) {
    if (!in_container(column.name)) continue;
    if (options_.cold_cache && column.missing.empty()) column.missing = kCopied;
    if (!column.missing.empty()) continue;
    auto container = Container::prepare(column.name, folder_->path(), binary_path_);
    if (!container) {
      column.missing = container.error().message;
      continue;
    }
    result_.versions[column.name] = container->version();
    containers_.emplace(column.name, *std::move(container));
  }
  return ok();
}

// A peer that is not installed is a column with a reason, too.
Status ColdStart::open_forks() {
  const bool answers = what_ ? what_->name == kPromisedFunction : options_.binary.empty();
  for (Column& column : result_.columns) {
    const PeerPlan* plan = find_plan(column.name);
    if (plan == nullptr || !column.missing.empty()) continue;
    if (!answers) column.missing = kBareProgram;
    if (options_.cold_cache) column.missing = kCopied;
    if (!column.missing.empty()) continue;
    ASSIGN_OR_RETURN(const std::string program, find_function("classic"));
    auto peer = Peer::start(*plan, "", program);
    if (!peer && peer.error().code == ErrorCode::kCancelled) return peer.error();
    if (!peer) {
      column.missing = peer.error().message.substr(0, peer.error().message.find('\n'));
      continue;
    }
    if (auto version = peer_version(*plan)) result_.versions[column.name] = *version;
    forks_.emplace(column.name, *std::move(peer));
  }
  return ok();
}

// The first answers are not timed: they fill the page cache, and of a function that is not our echo
// they are what all later ones must equal.
Status ColdStart::learn_answer() {
  expected_ = what_ ? what_->body : request_.body;
  const bool unseeded = what_ && what_->redis && deployed_.empty();
  if ((!what_ && !options_.binary.empty()) || unseeded) {
    ASSIGN_OR_RETURN(const Asked asked,
                     ask(StartBy::kPosixSpawn, function_command(), request_, kFunctionGrace));
    expected_ = asked.answer.body;
  }
  for (Column& column : result_.columns) {
    if (!column.missing.empty()) continue;
    Column unused{column.name, {}, {}, 0, "", "", ""};
    const auto took = time_one(unused);
    if (took) continue;
    const bool contained = containers_.contains(column.name);
    if (!contained && !forks_.contains(column.name)) {
      return Error(took.error()).annotate("try " + column.name);
    }
    column.missing = took.error().message;
    if (contained) containers_.at(column.name).clean();
  }
  return ok();
}

// Of processes and containers nothing is.
Status ColdStart::measure_kept() {
  std::optional<KeptReady> node;
  if (api_) {
    ASSIGN_OR_RETURN(node, measure_kept_ready(*api_, empty_sandboxes_));
  }
  for (Column& column : result_.columns) {
    if (!column.missing.empty()) continue;
    if (by_node(column.name)) column.kept = node;
    if (const auto fork = forks_.find(column.name); fork != forks_.end()) {
      ASSIGN_OR_RETURN(column.kept, measure_kept_by(fork->second.pid()));
    }
  }
  return ok();
}

}  // namespace subito::bench
