#include "bench/suites/warm_peers.h"

#include <algorithm>
namespace subito::bench {

namespace {

// Longer than any run: no pod goes meanwhile.
constexpr const char* kIdle = "60m";

NginxSite returning_site() {
  NginxSite site;
  for (const NamedAnswer& answer : {kEmptyAnswer, kJsonAnswer}) {
    site.answers.emplace_back(answer.path, answer.body);
  }
  return site;
}

}  // namespace

Result<WarmPeers> WarmPeers::make(std::uint32_t pool_size, const std::vector<std::string>& more) {
  ASSIGN_OR_RETURN(const std::string binary, find_function(kFunction));
  ASSIGN_OR_RETURN(TempFolder folder, TempFolder::make());
  ASSIGN_OR_RETURN(Bed bed, Bed::make(binary, pool_size));
  WarmPeers made(std::move(folder), std::move(bed));
  RETURN_IF_ERROR(made.bed_.api.deploy({kFunction, binary, "pooled", kIdle}));
  RETURN_IF_ERROR(made.open_handlers(binary));
  const WarmPeer handler = {"handler",
                            "the handler's binary alone (--listen), no proxy",
                            made.handler_->address(),
                            "",
                            {made.handler_->pid()}};
  const WarmPeer subito = {kSubito,
                           "a node of Subito, pods isolated",
                           made.bed_.gateway,
                           std::string("/function/") + kFunction,
                           {made.bed_.node.pid()}};
  const Status nginx = made.open_nginx();
  if (!nginx && nginx.error().code != ErrorCode::kNotFound) return nginx.error();
  if (!nginx) {
    for (const char* name : {"nginx", "nginx-lean", "nginx-return"}) {
      made.missing_.push_back({name, nginx.error().message});
    }
    WarmPeer again = handler;
    again.name = "handler-again";
    made.peers_ = {handler, again, subito};
    RETURN_IF_ERROR(made.open_more(more));
    return made;
  }
  made.peers_.push_back(subito);
  made.peers_.push_back(handler);
  RETURN_IF_ERROR(made.open_lean());
  RETURN_IF_ERROR(made.open_more(more));
  return made;
}

// The handler beside it takes the traces: whoever answers 200 will do.
Result<WarmPeers> WarmPeers::make_observed(std::uint32_t pool_size) {
  ASSIGN_OR_RETURN(const std::string binary, find_function(kFunction));
  ASSIGN_OR_RETURN(TempFolder folder, TempFolder::make());
  ASSIGN_OR_RETURN(ListeningHandler receiver, ListeningHandler::start(binary, "127.0.0.1:0"));
  ASSIGN_OR_RETURN(Bed bed, Bed::make(binary, pool_size,
                                      {"--traces", receiver.url() + kEmptyAnswer.path,
                                       "--trace-sample", "0.01"}));
  ASSIGN_OR_RETURN(Bed bare,
                   Bed::make(binary, pool_size, {"--metrics", "off", "--logs-size", "0"}));
  WarmPeers made(std::move(folder), std::move(bed));
  made.handler_.emplace(std::move(receiver));
  made.bare_.emplace(std::move(bare));
  for (Bed* each : {&made.bed_, &*made.bare_}) {
    RETURN_IF_ERROR(each->api.deploy({kFunction, binary, "pooled", kIdle}));
  }
  const std::string base = std::string("/function/") + kFunction;
  const WarmPeer reference = {kBare,
                              "a node of Subito that counts, keeps and traces nothing",
                              made.bare_->gateway,
                              base,
                              {made.bare_->node.pid()}};
  WarmPeer again = reference;
  again.name = std::string(kBare) + "-again";
  again.what = "the same one: what it differs by is noise";
  made.peers_ = {reference,
                 again,
                 {kSubito,
                  "a node with metrics, logs and 1 % of its requests traced",
                  made.bed_.gateway,
                  base,
                  {made.bed_.node.pid()}}};
  return made;
}

Status WarmPeers::open_handlers(const std::string& binary) {
  ASSIGN_OR_RETURN(ListeningHandler handler, ListeningHandler::start(binary, "127.0.0.1:0"));
  handler_.emplace(std::move(handler));
  ASSIGN_OR_RETURN(ListeningHandler behind,
                   ListeningHandler::start(binary, "unix:" + folder_.path() + "/handler.sock"));
  behind_nginx_.emplace(std::move(behind));
  return ok();
}

Status WarmPeers::open_nginx() {
  ASSIGN_OR_RETURN(Nginx proxy, Nginx::start({behind_nginx_->address().socket_path, {}}));
  proxy_.emplace(std::move(proxy));
  const WarmPeer peer = {"nginx",
                         "nginx proxying to the same binary on a Unix socket",
                         proxy_->address(),
                         "",
                         {proxy_->pid(), behind_nginx_->pid()}};
  WarmPeer again = peer;
  again.name = "nginx-again";
  again.what = "the same one: what it differs by is noise";
  peers_ = {peer, again};
  return ok();
}

Status WarmPeers::open_lean() {
  const std::string socket = folder_.path() + "/return.sock";
  ASSIGN_OR_RETURN(Nginx returning, Nginx::start(returning_site(), socket));
  returning_.emplace(std::move(returning));
  ASSIGN_OR_RETURN(Nginx lean, Nginx::start({socket, {}}));
  lean_.emplace(std::move(lean));
  peers_.push_back({"nginx-lean",
                    "nginx proxying to an nginx that returns the same bytes",
                    lean_->address(),
                    "",
                    {lean_->pid(), returning_->pid()}});
  ASSIGN_OR_RETURN(Nginx ceiling, Nginx::start(returning_site()));
  ceiling_.emplace(std::move(ceiling));
  peers_.push_back({"nginx-return",
                    "nginx returning the same bytes itself, no upstream",
                    ceiling_->address(),
                    "",
                    {ceiling_->pid()}});
  return ok();
}

// Proxies have nginx's upstream; slices never overlap.
Status WarmPeers::open_more(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const PeerPlan* plan = find_plan(name);
    if (plan == nullptr) return fail(ErrorCode::kInvalidArgument, "find peer " + name);
    auto peer = Peer::start(*plan, behind_nginx_->address().socket_path);
    if (!peer && peer.error().code == ErrorCode::kCancelled) return std::move(peer).error();
    if (!peer) {
      missing_.push_back({name, peer.error().message});
      continue;
    }
    const bool host = plan->kind == PeerKind::kHost;
    std::vector<pid_t> processes = {peer->pid()};
    if (!host) processes.push_back(behind_nginx_->pid());
    peers_.push_back({name, plan->what, peer->address(), "", std::move(processes), host});
    more_.push_back(*std::move(peer));
  }
  return ok();
}

const WarmPeer& WarmPeers::subito() const {
  return *std::find_if(peers_.begin(), peers_.end(),
                       [](const WarmPeer& peer) { return peer.name == kSubito; });
}

}  // namespace subito::bench
