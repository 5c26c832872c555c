// PodTable: the living pods: each one's process (through its home), channel and output, brought
// together under one id. Tells when a pod said hello, what it sends, and, once its process has
// ended and its channel was read to the end, that it is gone. Decides nothing.
//
// Owned by the node, on the loop's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/base/time.h"
#include "runtime/loop/loop.h"
#include "runtime/node/revision.h"
#include "runtime/pods/channels.h"
#include "runtime/pods/home.h"
#include "runtime/pods/line_reader.h"

namespace subito::node {

struct Pod {
  PodId id;
  std::string name;  // "catalogue-7"
  std::uint64_t number = 0;
  RevisionPtr revision;
  pods::StartMode mode = pods::StartMode::kFresh;  // how it really started
  TimePoint decided;                               // to start it
  TimePoint launched;                              // its sandbox was told what to run
  TimePoint began;  // to serve, as it says; none: it said nothing, or what cannot be
  std::optional<TimePoint> hello;
  std::uint32_t ahead = 0;  // invocations that it takes behind the one that runs, as it said
  TimePoint last_end;       // of an invocation that ran in it
  std::string build_id;     // of its binary, as it said in its hello; may be empty
  std::int64_t started_unix_ns = 0;
  std::string start_why;  // "1 waiting: no pod runs"; empty for a probe
  bool draining = false;
  std::string kill_reason;   // the node's own, empty if it did not kill it
  std::string kill_advice;   // what to do about that, for its logs
  bool asked_where = false;  // and it may report that before it ends

  Duration start_time() const { return hello ? *hello - decided : Duration(); }
};

struct PodGone {
  pods::PodExit exit;
  bool breach = false;                 // it broke the protocol and was killed for it
  std::string words;                   // "ended by SIGSEGV", "broke the protocol: frame ...: ..."
  std::vector<std::uint32_t> untaken;  // invocations (streams) it cannot have seen
};

// What pods of it are, but for their ids and names.
pods::PodSpec pod_spec(const Revision& revision);

class PodEvents {
 public:
  virtual ~PodEvents() = default;
  virtual void on_pod_hello(Pod& pod) = 0;
  // Any frame but HELLO and WINDOW; an error is a breach of the protocol.
  virtual Status on_pod_frame(Pod& pod, const protocol::Frame& frame) = 0;
  virtual void on_pod_late_end(Pod& pod, std::uint32_t stream) = 0;  // see ChannelEvents
  virtual void on_pod_window(Pod& pod, std::uint32_t stream) = 0;
  // `current`: it was printed since read_output() was called last, all of it.
  virtual void on_pod_output(Pod& pod, std::string_view line, bool current) = 0;
  // The last that is heard of it; the pod is destroyed after the return.
  virtual void on_pod_gone(Pod& pod, const PodGone& gone) = 0;
  virtual void on_home_lost(const Error& error) = 0;
};

class PodTable final : private pods::HomeEvents, private pods::ChannelEvents {
 public:
  PodTable(Loop& loop, PodEvents& events);
  ~PodTable() override;

  // The home reports to home_events(), so it is made after this object and handed over here.
  pods::HomeEvents& home_events() { return *this; }
  void set_home(std::unique_ptr<pods::PodHome> home) { home_ = std::move(home); }
  pods::PodHome& home() { return *home_; }
  pods::Channels& channels() { return channels_; }

  struct Order {
    PodId id;
    std::uint64_t number = 0;
    std::string name;
    RevisionPtr revision;
    TimePoint decided;
    std::string why;  // of Pod::start_why
  };
  // Starts the pod and writes its CONFIG; invocations may follow at once.
  Result<Pod*> start(const Order& order);
  // Reads what the pod has printed, before it works on something else.
  void read_output(Pod& pod);
  void drain(Pod& pod);
  void kill(Pod& pod, std::string reason);
  // Lets it report where its main thread is, if it can, at most kReportGrace before it is killed.
  void kill_after_report(Pod& pod, std::string reason, std::string advice);

  Pod* find(PodId id);
  std::size_t size() const { return pods_.size(); }
  std::vector<const Pod*> all() const;  // in no order; valid until the loop runs on

 private:
  struct Live;
  void finish_if_gone(PodId id);

  void on_pod_exited(const pods::PodExit& exit) override;
  void on_home_lost(const Error& error) override;
  Status on_frame(PodId pod, const protocol::Frame& frame) override;
  void on_late_end(PodId pod, std::uint32_t stream) override;
  void on_window(PodId pod, std::uint32_t stream) override;
  void on_channel_end(PodId pod, const pods::ChannelEnd& end) override;

  Loop& loop_;
  PodEvents& events_;
  pods::Channels channels_;
  std::unordered_map<PodId, std::unique_ptr<Live>> pods_;
  std::unique_ptr<pods::PodHome> home_;
};

}  // namespace subito::node
