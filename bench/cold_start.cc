#include "bench/cold_start.h"

#include <fcntl.h>

#include <algorithm>

#include "bench/bed.h"

namespace subito::bench {

namespace {

constexpr std::size_t kEchoBodyBytes = 200;
// A private node fills its pool at once; a running one is taken as it is found after a while.
constexpr std::chrono::milliseconds kRunningNodeRest{500};

// Text that no default would produce.
std::string echo_body(std::mt19937_64& random) {
  std::string body(kEchoBodyBytes, ' ');
  for (char& c : body) c = static_cast<char>('a' + random() % 26);
  return body;
}

}  // namespace

const Column* ColdStartResult::find(const std::string& name) const {
  const auto it = std::find_if(columns.begin(), columns.end(),
                               [&](const Column& column) { return column.name == name; });
  return it == columns.end() ? nullptr : &*it;
}

std::uint32_t ColdStartResult::errors() const {
  std::uint32_t sum = 0;
  for (const Column& column : columns) sum += column.errors;
  return sum;
}

Result<std::unique_ptr<ColdStart>> ColdStart::prepare(const ColdStartOptions& options) {
  std::unique_ptr<ColdStart> bench(new ColdStart(options));
  const std::string program = own_program();
  bench->result_.seed = options.seed ? *options.seed : std::random_device()();
  bench->random_.seed(bench->result_.seed);
  bench->result_.binary = function_binary(options.binary);
  if (options.binary.empty()) {
    bench->request_.body = echo_body(bench->random_);
  } else {
    bench->request_.method = "GET";
    bench->request_.path = options.path;
  }
  for (const std::string& name : kColumnNames) {
    if (bench->wants(name)) bench->result_.columns.push_back({name, {}, {}, 0, "", ""});
  }
  ASSIGN_OR_RETURN(TempFolder folder, TempFolder::make());
  bench->folder_.emplace(std::move(folder));
  RETURN_IF_ERROR(bench->open_node(program));
  RETURN_IF_ERROR(bench->open_floors());
  RETURN_IF_ERROR(bench->open_containers());
  RETURN_IF_ERROR(bench->learn_answer());
  return bench;
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
  for (const char* mode : {"fresh", "pooled", "template"}) {
    if (!wants(mode) && !wants(std::string(mode) + "-new")) continue;
    deployed_.push_back(std::string("bench-") + mode);
    RETURN_IF_ERROR(api_->deploy({deployed_.back(), result_.binary, mode}));
  }
  if (!node_) {
    rest(kRunningNodeRest);
    ASSIGN_OR_RETURN(const PodCount found, api_->pods());
    empty_sandboxes_ = found.empty_sandboxes;
  } else {
    empty_sandboxes_ = options_.pool_size;
  }
  ASSIGN_OR_RETURN(result_.kept, api_->await_zero(empty_sandboxes_));
  return ok();
}

Status ColdStart::open_floors() {
  binary_.reset(::open(result_.binary.c_str(), O_PATH | O_CLOEXEC));
  if (!binary_.valid()) return errno_error("open function " + result_.binary);
  null_.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null_.valid()) return errno_error("open /dev/null");
  return ok();
}

// One that is not there, or cannot run here, is a column with a reason instead of figures.
Status ColdStart::open_containers() {
  if (!wants("crun") && !wants("runc")) return ok();
  const Status hidden = hide_unified_cgroup();
  for (Column& column : result_.columns) {
    if (column.name != "crun" && column.name != "runc") continue;
    auto container = Container::prepare(column.name, folder_->path(), result_.binary);
    if (!container) {
      column.missing = container.error().message;
      continue;
    }
    result_.versions[column.name] = container->version();
    containers_.emplace(column.name, *std::move(container));
  }
  return ok();
}

// The first answers are not timed: they fill the page cache, and of a function that is not our echo
// they are what all later ones must equal.
Status ColdStart::learn_answer() {
  expected_ = request_.body;
  if (!options_.binary.empty()) {
    ASSIGN_OR_RETURN(const Asked asked,
                     ask(StartBy::kPosixSpawn, function_command(), kFunctionGrace));
    expected_ = asked.answer.body;
  }
  for (Column& column : result_.columns) {
    if (!column.missing.empty()) continue;
    Column unused{column.name, {}, {}, 0, "", ""};
    const auto took = time_one(unused);
    if (took) continue;
    if (!containers_.contains(column.name)) {
      return Error(took.error()).annotate("try " + column.name);
    }
    column.missing = took.error().message;
    containers_.at(column.name).clean();
  }
  return ok();
}

}  // namespace subito::bench
