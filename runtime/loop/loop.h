// Loop: RAII over libuv. One Loop runs on one thread; everything here is called on that thread,
// but for Wakeup::notify() and the work of a Background.
//
// Handles are closed by their destructor: the memory libuv still needs lives on until the loop has
// closed it, so an owner may go at any moment, also from inside a callback of the handle.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>

#include "runtime/base/time.h"

namespace subito {

class Loop {
 public:
  Loop();
  ~Loop();  // closes what is left and runs the loop until all of it is closed
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();  // until stop()
  void stop();
  // One turn; `wait`: block until something happens. For tests and for draining.
  void turn(bool wait);

  // Runs `task` at the end of this loop turn, after every callback of it: effects act here, so
  // that nothing re-enters, and writes of one turn leave together. A task deferred by a deferred
  // task runs in the same turn.
  void defer(std::function<void()> task);

  TimePoint now() const;  // read afresh, not once a turn
  uv_loop_t* raw() { return &loop_; }

 private:
  struct Deferred;
  uv_loop_t loop_;
  std::unique_ptr<Deferred> deferred_;
};

// Calls back once, `after` from now, unless restarted or gone.
class Timer {
 public:
  Timer(Loop& loop, std::function<void()> callback);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  // libuv counts milliseconds: `after` is rounded up.
  void start(Duration after);
  void stop();
  bool active() const;

 private:
  struct State;
  State* state_;
};

// Calls back once in the next turn of the loop; the loop does not block before. Started again
// inside the callback, it runs a turn later: other callbacks get their share between. (A Timer of
// zero may run again in the same turn.)
class NextTurn {
 public:
  NextTurn(Loop& loop, std::function<void()> callback);
  ~NextTurn();
  NextTurn(const NextTurn&) = delete;
  NextTurn& operator=(const NextTurn&) = delete;
  void start();

 private:
  struct State;
  State* state_;
};

// Watches a descriptor it does not own (uv_poll_t). The descriptor must outlive the Poll.
class Poll {
 public:
  // `events` as of uv_poll_start: UV_READABLE, UV_WRITABLE, UV_DISCONNECT; a negative status in the
  // callback means the watch failed.
  using Callback = std::function<void(int status, int events)>;
  Poll(Loop& loop, int fd, Callback callback);
  ~Poll();
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;
  void start(int events);  // replaces the events watched before
  void stop();

 private:
  struct State;
  State* state_;
};

// Calls back on the loop's thread after notify() was called on any; several may become one.
class Wakeup {
 public:
  Wakeup(Loop& loop, std::function<void()> callback);
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  void notify();

 private:
  struct State;
  State* state_;
};

// Runs `work` on a thread of libuv's pool, which resolves names too, then `done` on the loop's.
// Gone before that: `work` may run nevertheless, `done` never does. What both use belongs to them.
class Background {
 public:
  Background(Loop& loop, std::function<void()> work, std::function<void()> done);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

 private:
  struct State;
  State* state_;  // null once done
};

// Calls back when the process gets the signal.
class Signal {
 public:
  Signal(Loop& loop, int signal_number, std::function<void()> callback);
  ~Signal();
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

 private:
  struct State;
  State* state_;
};

// Calls back once at the end of the turn in which it was scheduled, as Loop::defer does; scheduled
// again inside the callback, it runs again in the same turn. Gone before: it never calls.
class TurnEnd {
 public:
  TurnEnd(Loop& loop, std::function<void()> callback);
  ~TurnEnd();
  TurnEnd(const TurnEnd&) = delete;
  TurnEnd& operator=(const TurnEnd&) = delete;
  void schedule();

 private:
  struct State;
  Loop& loop_;
  std::shared_ptr<State> state_;  // shared with the task that the loop holds
};

}  // namespace subito
