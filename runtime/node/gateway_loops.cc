#include "runtime/node/gateway_loops.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <utility>

#include "runtime/base/cpu_turns.h"
#include "runtime/gateway/remote_caller.h"
#include "runtime/gateway/remote_invoker.h"
#include "runtime/node/metrics/host_facts.h"

namespace subito::node {
namespace {

constexpr Duration kLeavingLook = std::chrono::milliseconds(5);

}  // namespace

// One of them: all on its own thread while that runs, but for what is said to be the node's.
struct GatewayLoops::Side {
  Side(const Parts& parts, gateway::CallGuard& guard, Published<const gateway::RouteTable>& tables,
       Tasks& node_tasks)
      : server(server::Server::create(loop, server::Limits(), gateway)),
        leaving(loop, [this] { leave(); }),
        caller(std::make_unique<gateway::RemoteCaller>(parts.loop, link, parts.invoker, guard)) {
    invoker.end().connect(caller->end());
    gateway.attach(*server);
    gateway.follow(tables);
    gateway.set_readiness([this, &node_tasks, why_not_ready = parts.why_not_ready](auto tell) {
      node_tasks.post([this, why_not_ready, tell] {
        tasks.post([tell, why_not = why_not_ready()] { tell(why_not); });
      });
    });
  }

  // A signal is the node's loop's to hear.
  void start(std::function<void()> when_ended) {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread = std::thread([this, when_ended = std::move(when_ended)] {
      ::pthread_setname_np(::pthread_self(), "gateway");
      (void)serve_others();  // what it cannot was told for the node's own loop
      loop.run();
      when_ended();
      const std::lock_guard lock(mutex);
      ended = true;
      has_ended.notify_all();
    });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  LoopReading read_now() const {
    return {gateway.meters().all(), gateway.meters().overflowed(), server->connections(),
            thread_cpu()};
  }

  void leave() {
    left_for += kLeavingLook;
    if (server->connections() == 0 || left_for > kLastBytesWait) return loop.stop();
    leaving.start(kLeavingLook);
  }

  // By the node. False: it hangs.
  bool join() {
    if (!thread.joinable()) return true;
    tasks.post([this] { loop.stop(); });
    std::unique_lock lock(mutex);
    if (!has_ended.wait_for(lock, kEndWait, [this] { return ended; })) return false;
    lock.unlock();
    thread.join();
    return true;
  }

  Loop loop;
  Tasks tasks{loop};
  gateway::InvocationLink link;
  gateway::RemoteInvoker invoker{loop, link};
  gateway::Gateway gateway{invoker};
  std::vector<std::unique_ptr<server::SecureContext>> certificates;
  std::unique_ptr<server::Server> server;
  Timer leaving;
  Duration left_for{};

  // The node's.
  std::unique_ptr<gateway::RemoteCaller> caller;
  LoopReading last;
  bool asked = false;  // to be read
  std::thread thread;

  std::mutex mutex;  // of ended
  std::condition_variable has_ended;
  bool ended = false;
};

GatewayLoops::GatewayLoops(const Parts& parts)
    : parts_(parts),
      tasks_(parts.loop),
      read_wait_(parts.loop, [this] { tell_read(); }),
      end_wait_(parts.loop, [this] {
        spdlog::warn("a gateway loop does not end");
        if (auto done = std::exchange(ended_, nullptr)) done();
      }) {}

void GatewayLoops::open(std::uint32_t beside, gateway::CallGuard& guard) {
  for (std::uint32_t i = 0; i < beside; ++i)
    sides_.push_back(std::make_unique<Side>(parts_, guard, tables_, tasks_));
}

GatewayLoops::~GatewayLoops() {
  for (const auto& side : sides_) {
    if (side->join()) continue;
    // What it uses cannot be taken away. The launcher ends the pods when this process is gone.
    spdlog::error("a gateway loop hangs: the node ends without it");
    std::_Exit(EXIT_FAILURE);
  }
}

void GatewayLoops::sample(const traces::Sampler& sampler) {
  for (const auto& side : sides_) side->gateway.sample(sampler);
}

void GatewayLoops::stop_counting() {
  for (const auto& side : sides_) side->gateway.stop_counting();
}

Result<server::Address> GatewayLoops::listen(server::Address address,
                                             tls::CertificateFiles* certificates) {
  address.shared = address.first = several();
  const auto on = [&](server::Server& server, server::SecureContext* context) {
    return context == nullptr ? server.listen(address) : server.listen_secure(address, *context);
  };
  ASSIGN_OR_RETURN(const server::Address bound, on(parts_.server, certificates));
  address.port = bound.port;
  address.first = false;
  for (const auto& side : sides_) {
    server::SecureContext* context = nullptr;
    if (certificates != nullptr)
      context = side->certificates.emplace_back(certificates->share()).get();
    RETURN_IF_ERROR(on(*side->server, context));
  }
  return bound;
}

void GatewayLoops::run() {
  for (const auto& side : sides_) {
    ++running_;
    side->start([this] { tasks_.post([this] { thread_ended(); }); });
  }
}

std::size_t GatewayLoops::connections() const {
  std::size_t sum = 0;
  for (const auto& side : sides_) sum += side->last.connections;
  return sum;
}

void GatewayLoops::read(Done done) {
  readers_.push_back(std::move(done));
  if (!read_wait_.active()) read_wait_.start(kReadWait);
  for (const auto& side : sides_) {
    if (!std::exchange(side->asked, true)) ask(*side);
  }
}

void GatewayLoops::ask(Side& side) {
  side.tasks.post([this, &side] {
    tasks_.post([this, &side, reading = side.read_now()] {
      side.last = reading;
      side.asked = false;
      const bool all =
          std::none_of(sides_.begin(), sides_.end(), [](const auto& one) { return one->asked; });
      if (all) tell_read();
    });
  });
}

void GatewayLoops::tell_read() {
  read_wait_.stop();
  std::vector<LoopReading> readings = {read_own()};
  for (const auto& side : sides_) readings.push_back(side->last);
  for (const Done& done : std::exchange(readers_, {})) done(readings);
}

LoopReading GatewayLoops::read_own() const {
  return {parts_.gateway.meters().all(), parts_.gateway.meters().overflowed(),
          parts_.server.connections(), thread_cpu()};
}

void GatewayLoops::drain() {
  parts_.server.drain();
  for (const auto& side : sides_) side->tasks.post([&side = *side] { side.server->drain(); });
}

void GatewayLoops::end(std::function<void()> done) {
  if (running_ == 0) return done();
  ended_ = std::move(done);
  end_wait_.start(kEndWait);
  for (const auto& side : sides_) side->tasks.post([&side = *side] { side.leave(); });
}

void GatewayLoops::thread_ended() {
  if (--running_ > 0 || ended_ == nullptr) return;
  end_wait_.stop();
  std::exchange(ended_, nullptr)();
}

}  // namespace subito::node
