#include "runtime/loop/mailbox.h"

namespace subito {

// The handles are closed one by one; the last takes the memory with it.
struct Doorbell::State {
  uv_async_t async;
  uv_prepare_t prepare;
  uv_check_t check;
  std::function<void()> look;
  std::atomic<bool> asleep{false};
  int open = 3;

  static State& of(const void* handle) {
    return *static_cast<State*>(static_cast<const uv_handle_t*>(handle)->data);
  }
  template <typename Handle>
  void close(Handle& handle) {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle), [](uv_handle_t* closed) {
      State& state = of(closed);
      if (--state.open == 0) delete &state;
    });
  }
};

// libuv runs what was started last first: both before those of Loop, which carry out what is
// deferred.
Doorbell::Doorbell(Loop& loop, std::function<void()> look) : state_(new State) {
  state_->look = std::move(look);
  CHECK(uv_async_init(loop.raw(), &state_->async, [](uv_async_t*) {}) == 0);
  uv_prepare_init(loop.raw(), &state_->prepare);
  uv_check_init(loop.raw(), &state_->check);
  state_->async.data = state_->prepare.data = state_->check.data = state_;
  uv_prepare_start(&state_->prepare, [](uv_prepare_t* handle) {
    State& state = State::of(handle);
    state.asleep.store(true, std::memory_order_seq_cst);
    state.look();
  });
  uv_check_start(&state_->check, [](uv_check_t* handle) {
    State& state = State::of(handle);
    state.asleep.store(false, std::memory_order_relaxed);
    state.look();
  });
  uv_unref(reinterpret_cast<uv_handle_t*>(&state_->prepare));
  uv_unref(reinterpret_cast<uv_handle_t*>(&state_->check));
}

Doorbell::~Doorbell() {
  uv_prepare_stop(&state_->prepare);
  uv_check_stop(&state_->check);
  state_->close(state_->async);
  state_->close(state_->prepare);
  state_->close(state_->check);
}

void Doorbell::ring() {
  if (state_->asleep.load(std::memory_order_seq_cst) && state_->asleep.exchange(false))
    uv_async_send(&state_->async);
}

}  // namespace subito
