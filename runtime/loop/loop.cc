#include "runtime/loop/loop.h"

#include <utility>
#include <vector>

#include "runtime/base/check.h"

namespace subito {
namespace {

// Gives a handle's memory back once libuv no longer needs it. `handle` is the first member of the
// State that libuv's data pointer names.
template <typename State>
void close_state(State* state) {
  state->callback = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&state->handle),
           [](uv_handle_t* handle) { delete static_cast<State*>(handle->data); });
}

}  // namespace

// Deferred tasks run in the prepare and check phases of a turn: after timers and pending callbacks,
// and after the poll phase. While tasks wait, an idle handle keeps the poll from blocking.
struct Loop::Deferred {
  uv_prepare_t prepare;
  uv_check_t check;
  uv_idle_t idle;
  std::vector<std::function<void()>> tasks;
  std::vector<std::function<void()>> running;

  void run_all() {
    while (!tasks.empty()) {
      running.swap(tasks);
      for (auto& task : running) task();
      running.clear();
    }
    uv_idle_stop(&idle);
  }
};

Loop::Loop() : deferred_(std::make_unique<Deferred>()) {
  CHECK(uv_loop_init(&loop_) == 0);
  Deferred* d = deferred_.get();
  uv_prepare_init(&loop_, &d->prepare);
  uv_check_init(&loop_, &d->check);
  uv_idle_init(&loop_, &d->idle);
  d->prepare.data = d->check.data = d->idle.data = d;
  uv_prepare_start(&d->prepare,
                   [](uv_prepare_t* h) { static_cast<Deferred*>(h->data)->run_all(); });
  uv_check_start(&d->check, [](uv_check_t* h) { static_cast<Deferred*>(h->data)->run_all(); });
  uv_unref(reinterpret_cast<uv_handle_t*>(&d->prepare));
  uv_unref(reinterpret_cast<uv_handle_t*>(&d->check));
}

Loop::~Loop() {
  deferred_->tasks.clear();
  uv_close(reinterpret_cast<uv_handle_t*>(&deferred_->prepare), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&deferred_->check), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&deferred_->idle), nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);
  // A handle still open here outlives its loop: its owner must go first.
  CHECK(uv_loop_close(&loop_) == 0);
}

void Loop::run() {
  uv_run(&loop_, UV_RUN_DEFAULT);
}
void Loop::stop() {
  uv_stop(&loop_);
}
void Loop::turn(bool wait) {
  uv_run(&loop_, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
}

void Loop::defer(std::function<void()> task) {
  deferred_->tasks.push_back(std::move(task));
  uv_idle_start(&deferred_->idle, [](uv_idle_t*) {});
}

TimePoint Loop::now() const {
  return TimePoint(Duration(static_cast<Duration::rep>(uv_hrtime())));
}

struct Timer::State {
  uv_timer_t handle;
  std::function<void()> callback;
};

Timer::Timer(Loop& loop, std::function<void()> callback)
    : state_(new State{{}, std::move(callback)}) {
  CHECK(uv_timer_init(loop.raw(), &state_->handle) == 0);
  state_->handle.data = state_;
}

Timer::~Timer() {
  close_state(state_);
}

void Timer::start(Duration after) {
  using std::chrono::milliseconds;
  const auto rounded = std::chrono::ceil<milliseconds>(after).count();
  uv_update_time(state_->handle.loop);
  uv_timer_start(
      &state_->handle,
      [](uv_timer_t* handle) {
        // The callback may destroy the Timer: what runs is a copy.
        if (auto run = static_cast<State*>(handle->data)->callback) run();
      },
      rounded > 0 ? static_cast<std::uint64_t>(rounded) : 0, 0);
}

void Timer::stop() {
  uv_timer_stop(&state_->handle);
}

bool Timer::active() const {
  return uv_is_active(reinterpret_cast<const uv_handle_t*>(&state_->handle)) != 0;
}

struct NextTurn::State {
  uv_idle_t handle;
  std::function<void()> callback;
};

NextTurn::NextTurn(Loop& loop, std::function<void()> callback)
    : state_(new State{{}, std::move(callback)}) {
  CHECK(uv_idle_init(loop.raw(), &state_->handle) == 0);
  state_->handle.data = state_;
}

NextTurn::~NextTurn() {
  close_state(state_);
}

void NextTurn::start() {
  uv_idle_start(&state_->handle, [](uv_idle_t* handle) {
    uv_idle_stop(handle);
    // As in Timer.
    if (auto run = static_cast<State*>(handle->data)->callback) run();
  });
}

struct Poll::State {
  uv_poll_t handle;
  Callback callback;
};

Poll::Poll(Loop& loop, int fd, Callback callback) : state_(new State{{}, std::move(callback)}) {
  CHECK(uv_poll_init(loop.raw(), &state_->handle, fd) == 0);
  state_->handle.data = state_;
}

Poll::~Poll() {
  close_state(state_);
}

void Poll::start(int events) {
  uv_poll_start(&state_->handle, events, [](uv_poll_t* handle, int status, int got) {
    // As in Timer; a shared pointer would cost less than a copy only with many captures.
    if (auto run = static_cast<State*>(handle->data)->callback) run(status, got);
  });
}

void Poll::stop() {
  uv_poll_stop(&state_->handle);
}

struct Wakeup::State {
  uv_async_t handle;
  std::function<void()> callback;
};

Wakeup::Wakeup(Loop& loop, std::function<void()> callback)
    : state_(new State{{}, std::move(callback)}) {
  CHECK(uv_async_init(loop.raw(), &state_->handle, [](uv_async_t* handle) {
          if (auto run = static_cast<State*>(handle->data)->callback) run();
        }) == 0);
  state_->handle.data = state_;
}

Wakeup::~Wakeup() {
  close_state(state_);
}
void Wakeup::notify() {
  uv_async_send(&state_->handle);
}

struct Signal::State {
  uv_signal_t handle;
  std::function<void()> callback;
};

Signal::Signal(Loop& loop, int signal_number, std::function<void()> callback)
    : state_(new State{{}, std::move(callback)}) {
  CHECK(uv_signal_init(loop.raw(), &state_->handle) == 0);
  state_->handle.data = state_;
  uv_signal_start(
      &state_->handle,
      [](uv_signal_t* handle, int) {
        if (auto run = static_cast<State*>(handle->data)->callback) run();
      },
      signal_number);
}

Signal::~Signal() {
  close_state(state_);
}

struct Background::State {
  uv_work_t request;
  Background* owner;
  std::function<void()> work;
  std::function<void()> done;
};

Background::Background(Loop& loop, std::function<void()> work, std::function<void()> done)
    : state_(new State{{}, this, std::move(work), std::move(done)}) {
  state_->request.data = state_;
  const int queued = uv_queue_work(
      loop.raw(), &state_->request,
      [](uv_work_t* request) { static_cast<State*>(request->data)->work(); },
      [](uv_work_t* request, int) {
        const std::unique_ptr<State> state(static_cast<State*>(request->data));
        if (state->owner == nullptr) return;
        state->owner->state_ = nullptr;
        state->done();  // may destroy the owner
      });
  CHECK(queued == 0);
}

Background::~Background() {
  if (state_ == nullptr) return;
  state_->owner = nullptr;
  uv_cancel(reinterpret_cast<uv_req_t*>(&state_->request));  // if it has not begun
}

struct TurnEnd::State {
  std::function<void()> callback;
  bool scheduled = false;
};

TurnEnd::TurnEnd(Loop& loop, std::function<void()> callback)
    : loop_(loop), state_(std::make_shared<State>(State{std::move(callback), false})) {}

TurnEnd::~TurnEnd() {
  state_->callback = nullptr;
}

void TurnEnd::schedule() {
  if (std::exchange(state_->scheduled, true)) return;
  loop_.defer([state = state_] {
    state->scheduled = false;
    // As in Timer.
    if (auto run = state->callback) run();
  });
}

}  // namespace subito
