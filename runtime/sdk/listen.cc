#include "runtime/sdk/listen.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <deque>
#include <map>
#include <thread>

#include "runtime/loop/loop.h"
#include "runtime/sdk/crash.h"
#include "runtime/sdk/handler_slots.h"
#include "runtime/sdk/listen_run.h"
#include "runtime/sdk/listen_triggers.h"

namespace subito::sdk {
namespace {

// How often a draining server looks whether all connections have gone.
constexpr auto kDrainCheck = std::chrono::milliseconds(5);
constexpr auto kDrainMax = std::chrono::seconds(30);

using ExchangePtr = std::shared_ptr<ListenExchange>;

// What a worker thread is given.
struct Task {
  ExchangePtr exchange;
  ListenFunction* function;
};

// Handler threads, made when all others are busy, up to a number; the rest waits in a queue, which
// the server's limit of connections bounds.
class WorkerPool {
 public:
  WorkerPool(unsigned threads_max, ListenService& service, HandlerSlots& slots)
      : threads_max_(threads_max), service_(service), slots_(slots) {}

  ~WorkerPool() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
  }
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void give(Task task) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(task));
    if (idle_ < waiting_.size() && threads_.size() < threads_max_) {
      threads_.emplace_back([this] { work(); });
    }
    wake_.notify_one();
  }

 private:
  void work() {
    const auto stack = std::make_unique_for_overwrite<char[]>(kCrashStackBytes);
    use_crash_stack(stack.get());
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      --idle_;
      if (waiting_.empty()) break;
      const Task task = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      {
        const std::lock_guard slot(slots_);
        ListenRun(service_, *task.function, *task.exchange).run();
      }
      lock.lock();
    }
    lock.unlock();
    drop_crash_stack();
  }

  const unsigned threads_max_;
  ListenService& service_;
  HandlerSlots& slots_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Task> waiting_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

// Passes between the server's exchanges and the workers'. The loop's thread, but for post().
class ListenServer final : public server::Handler {
 public:
  ListenServer(Loop& loop, const ListenOptions& options, ListenService& service)
      : loop_(loop),
        timeout_(options.timeout),
        server_(server::Server::create(loop, {}, *this)),
        wakeup_(loop, [this] { on_wakeup(); }),
        drain_timer_(loop, [this] { on_drain_timer(); }),
        service_(service),
        slots_(options.concurrency),
        triggers_(service, slots_, options.timeout),
        workers_(options.concurrency, service, slots_) {}

  Result<server::Address> listen(const server::Address& address) {
    return server_->listen(address);
  }
  Status set_triggers(std::vector<ListenTrigger> triggers) {
    return triggers_.set(std::move(triggers));
  }
  void start_triggers(const std::string& address) { triggers_.start(address); }

  void drain() {
    if (draining_) return;
    draining_ = true;
    drain_until_ = loop_.now() + kDrainMax;
    server_->drain();
    triggers_.stop();
    on_drain_timer();
  }

  void on_request(server::ExchangeId id, http::RequestHead&& head, bool end) override {
    const auto deadline = std::chrono::steady_clock::now() + timeout_;
    ListenService::Target target = service_.find(head.path);
    head.path = std::move(target.path);
    auto exchange = std::make_shared<ListenExchange>(id, std::move(head), end, deadline,
                                                     [this, id] { post(id); });
    exchanges_[id] = exchange;
    workers_.give({std::move(exchange), &target.function});
  }
  void on_body(server::ExchangeId id, std::string_view bytes, bool end) override {
    if (const auto exchange = find(id)) exchange->add_body(bytes, end);
  }
  void on_writable(server::ExchangeId id) override {
    if (const auto exchange = find(id)) exchange->set_writable();
  }
  void on_abort(server::ExchangeId id) override {
    if (const auto exchange = find(id)) exchange->abort();
    exchanges_.erase(id);
  }

 private:
  ExchangePtr find(server::ExchangeId id) const {
    const auto at = exchanges_.find(id);
    return at == exchanges_.end() ? nullptr : at->second;
  }

  void post(server::ExchangeId id) {
    {
      const std::lock_guard lock(mutex_);
      posted_.push_back(id);
    }
    wakeup_.notify();
  }

  void on_wakeup() {
    std::vector<server::ExchangeId> posted;
    {
      const std::lock_guard lock(mutex_);
      posted.swap(posted_);
    }
    for (const auto id : posted) {
      const ExchangePtr exchange = find(id);
      if (!exchange) continue;
      for (auto& out : exchange->take()) pass_on(*exchange, std::move(out));
    }
  }

  void pass_on(ListenExchange& exchange, ListenExchange::Out out) {
    const auto id = exchange.id();
    if (out.consumed_bytes != 0) server_->consumed(id, out.consumed_bytes);
    if (out.abort) server_->abort(id);
    bool writable = true;
    if (out.head) {
      server_->respond(id, std::move(*out.head), out.body, out.end);
    } else if (!out.body.empty() || out.end) {
      writable = server_->body(id, out.body, out.end);
    }
    if (out.end || out.abort) {
      exchanges_.erase(id);
    } else if (!out.body.empty()) {
      exchange.passed_on(out.body.size(), writable);
    }
  }

  void on_drain_timer() {
    if (server_->connections() == 0 && triggers_.ended()) {
      loop_.stop();
    } else if (loop_.now() >= drain_until_) {
      std::fputs("end by SIGTERM: a handler does not yield\n", stderr);
      ::_exit(1);
    } else {
      drain_timer_.start(kDrainCheck);
    }
  }

  Loop& loop_;
  const std::chrono::seconds timeout_;
  std::unique_ptr<server::Server> server_;
  std::map<server::ExchangeId, ExchangePtr> exchanges_;
  std::mutex mutex_;
  std::vector<server::ExchangeId> posted_;
  Wakeup wakeup_;
  Timer drain_timer_;
  bool draining_ = false;
  TimePoint drain_until_;
  ListenService& service_;
  HandlerSlots slots_;
  ListenTriggers triggers_;  // the last two: their threads end before what they use
  WorkerPool workers_;
};

Result<server::Address> address_of(const std::string& text) {
  ASSIGN_OR_RETURN(const Endpoint endpoint, parse_endpoint(text));
  server::Address address;
  if (endpoint.host.empty()) {
    address.kind = server::Address::Kind::kUnix;
    address.host = endpoint.path;
  } else {
    address.host = endpoint.host;
    address.port = endpoint.port;
  }
  return address;
}

std::string text_of(const server::Address& address) {
  if (address.kind == server::Address::Kind::kUnix) return "unix:" + address.host;
  const bool v6 = address.host.find(':') != std::string::npos;
  return "http://" + (v6 ? "[" + address.host + "]" : address.host) + ":" +
         std::to_string(address.port);
}

int fail_to_listen(const ListenOptions& options, const Error& error) {
  std::fprintf(stderr, "%s: %s\n", options.name.c_str(), error.message.c_str());
  return 1;
}

void print_warnings(const ListenOptions& options, const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings)
    std::fprintf(stderr, "%s: warning: %s\n", options.name.c_str(), warning.c_str());
}

int serve_service(const ListenOptions& given, ListenService& service) {
  std::signal(SIGPIPE, SIG_IGN);
  report_crashes(-1);
  ListenOptions options = given;
  if (options.concurrency == 0) options.concurrency = std::thread::hardware_concurrency();
  if (options.concurrency == 0) options.concurrency = 1;
  print_warnings(options, unread_settings(environ));
  print_warnings(options, unread_triggers(environ));
  const auto address = address_of(options.address);
  if (!address) return fail_to_listen(options, address.error());
  const auto triggers = triggers_of(environ);
  if (!triggers) return fail_to_listen(options, triggers.error());
  Loop loop;
  ListenServer server(loop, options, service);
  const auto set = server.set_triggers(*triggers);
  if (!set) return fail_to_listen(options, set.error());
  const auto bound = server.listen(*address);
  if (!bound) return fail_to_listen(options, bound.error());
  const Signal terminate(loop, SIGTERM, [&] { server.drain(); });
  const Signal interrupt(loop, SIGINT, [&] { server.drain(); });
  std::printf("%s listens on %s\n", options.name.c_str(), text_of(*bound).c_str());
  std::fflush(stdout);
  server.start_triggers(text_of(*bound));  // told first: whoever waits for the line need not race
  loop.run();
  return 0;
}

}  // namespace

int listen_and_serve(const ListenOptions& options, const Handler& handler) {
  ListenService service(options.name, handler);
  return serve_service(options, service);
}

int listen_and_serve(const ListenOptions& options, std::vector<Service> services) {
  ListenService service(std::move(services));
  return serve_service(options, service);
}

}  // namespace subito::sdk
