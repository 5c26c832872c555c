#include "runtime/node/pod_table.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"

namespace subito::node {
namespace {

using protocol::FrameType;

// A pod's channel closes with its last process. Should something keep it open, it is closed this
// long after the exit.
constexpr Duration kChannelEndGrace = std::chrono::seconds(1);

// What a pod gets to tell where it is: it takes some hundred microseconds on a free core.
constexpr Duration kReportGrace = std::chrono::milliseconds(100);

// Linkers write 20 bytes, as twice as many digits.
constexpr std::size_t kBuildIdBytesMax = 128;

// What cannot be is not believed: a pod may say anything. On a core of its own it may begin before
// the node, whose turn on its core was over, has noted that it is launched.
void take_began(const protocol::Hello& hello, Pod& pod) {
  const TimePoint began(Duration(static_cast<Duration::rep>(hello.began_ns())));
  if (began < pod.decided || began > *pod.hello) return;
  pod.began = began;
  pod.launched = std::min(pod.launched, began);
}

}  // namespace

// Gone when both `exit` and `channel_end` are there.
struct PodTable::Live {
  struct Pod pod;
  std::unique_ptr<pods::LineReader> output;
  std::optional<pods::PodExit> exit;
  std::optional<pods::ChannelEnd> channel_end;
  std::unique_ptr<Timer> channel_grace;
  std::unique_ptr<Timer> report_grace;
};

pods::PodSpec pod_spec(const Revision& revision) {
  pods::PodSpec spec;
  spec.name = revision.name;
  spec.artefact_path = revision.artefact_path;
  const auto& args = revision.manifest.spec().args();
  spec.args.assign(args.begin(), args.end());
  spec.mode = revision.start_mode;
  spec.limits = revision.pod_limits;
  spec.template_key = revision.id.value();
  spec.grants = revision.grants;
  return spec;
}

PodTable::PodTable(Loop& loop, PodEvents& events)
    : loop_(loop), events_(events), channels_(loop, *this) {}

PodTable::~PodTable() {
  home_.reset();
}

Result<Pod*> PodTable::start(const Order& order) {
  if (const std::string& fault = order.revision->out_of_service; !fault.empty()) {
    return fail(ErrorCode::kFailedPrecondition, "start pod: " + fault);
  }
  pods::PodSpec spec = pod_spec(*order.revision);
  spec.id = order.id;
  spec.name = order.name;
  UniqueFd values;
  if (spec.grants && spec.grants->values.valid()) {
    ASSIGN_OR_RETURN(values, spec.grants->values.open_again());
  }
  ASSIGN_OR_RETURN(pods::StartedPod started, home_->start(spec));

  auto live = std::make_unique<Live>();
  Pod& pod = live->pod;
  pod.id = order.id;
  pod.name = order.name;
  pod.number = order.number;
  pod.revision = order.revision;
  pod.mode = started.mode;
  pod.decided = order.decided;
  pod.launched = loop_.now();
  pod.started_unix_ns = wall_clock_nanoseconds();
  pod.start_why = order.why;
  live->output = std::make_unique<pods::LineReader>(
      loop_, std::move(started.stdio), [this, &pod, &live = *live](std::string_view line) {
        events_.on_pod_output(pod, line, live.output->is_current());
      });
  channels_.open(order.id, std::move(started.channel));
  CHECK(pods_.emplace(order.id, std::move(live)).second);

  protocol::Config config = order.revision->config;
  config.set_pod(order.name);
  config.set_values_follow(values.valid());
  // One that is too large is out of service.
  CHECK(values.valid() ? channels_.send_config(order.id, config, std::move(values))
                       : channels_.send(order.id, FrameType::kConfig, 0, config));
  return &pod;
}

void PodTable::read_output(Pod& pod) {
  pods_.at(pod.id)->output->catch_up();
}

void PodTable::drain(Pod& pod) {
  if (std::exchange(pod.draining, true)) return;
  channels_.send_drain(pod.id);
}

void PodTable::kill(Pod& pod, std::string reason) {
  if (pod.kill_reason.empty()) pod.kill_reason = std::move(reason);
  home_->kill(pod.id);
}

void PodTable::kill_after_report(Pod& pod, std::string reason, std::string advice) {
  if (!pod.kill_reason.empty()) return home_->kill(pod.id);
  pod.kill_reason = std::move(reason);
  pod.kill_advice = std::move(advice);
  pod.asked_where = true;
  Live& live = *pods_.at(pod.id);
  live.report_grace = std::make_unique<Timer>(loop_, [this, id = pod.id] { home_->kill(id); });
  live.report_grace->start(kReportGrace);
  home_->ask_where(pod.id);
}

Pod* PodTable::find(PodId id) {
  const auto it = pods_.find(id);
  return it == pods_.end() ? nullptr : &it->second->pod;
}

std::vector<const Pod*> PodTable::all() const {
  std::vector<const Pod*> pods;
  for (const auto& [id, live] : pods_) pods.push_back(&live->pod);
  return pods;
}

void PodTable::on_pod_exited(const pods::PodExit& exit) {
  const auto it = pods_.find(exit.pod);
  if (it == pods_.end()) return;
  Live& live = *it->second;
  live.exit = exit;
  live.output->finish();
  if (!live.channel_end) {
    live.channel_grace = std::make_unique<Timer>(loop_, [this, id = exit.pod] {
      channels_.close(id);
      on_channel_end(id, {});
    });
    live.channel_grace->start(kChannelEndGrace);
  }
  finish_if_gone(exit.pod);
}

void PodTable::on_home_lost(const Error& error) {
  events_.on_home_lost(error);
}

Status PodTable::on_frame(PodId id, const protocol::Frame& frame) {
  Pod* pod = find(id);
  if (pod == nullptr) return ok();
  if (frame.header.type != FrameType::kHello) return events_.on_pod_frame(*pod, frame);
  protocol::Hello hello;
  RETURN_IF_ERROR(protocol::parse_head(frame, hello));
  read_output(*pod);  // what it printed before is nobody's
  pod->hello = loop_.now();
  take_began(hello, *pod);
  pod->build_id = hello.build_id().substr(0, kBuildIdBytesMax);
  if (pod->revision->scaling.concurrency == 1) pod->ahead = hello.ahead();
  events_.on_pod_hello(*pod);
  return ok();
}

void PodTable::on_late_end(PodId id, std::uint32_t stream) {
  if (Pod* pod = find(id)) events_.on_pod_late_end(*pod, stream);
}

void PodTable::on_window(PodId id, std::uint32_t stream) {
  if (Pod* pod = find(id)) events_.on_pod_window(*pod, stream);
}

void PodTable::on_channel_end(PodId id, const pods::ChannelEnd& end) {
  const auto it = pods_.find(id);
  if (it == pods_.end()) return;
  it->second->channel_end = end;
  // A pod without its channel is of no use, whether it broke the protocol or just closed it.
  if (!it->second->exit) home_->kill(id);
  finish_if_gone(id);
}

void PodTable::finish_if_gone(PodId id) {
  const auto it = pods_.find(id);
  Live& live = *it->second;
  if (!live.exit || !live.channel_end) return;
  PodGone gone;
  gone.exit = *live.exit;
  gone.breach = live.channel_end->breach;
  gone.untaken = live.channel_end->untaken;
  if (gone.breach) {
    gone.words = "broke the protocol: " + live.channel_end->error.message;
  } else if (!live.pod.kill_reason.empty()) {
    gone.words = "killed: " + live.pod.kill_reason;
  } else {
    gone.words = pods::words(gone.exit, live.pod.revision->pod_limits.memory_bytes_max);
  }
  // Out of the table first: whoever hears of it finds it gone.
  const std::unique_ptr<Live> last = std::move(it->second);
  pods_.erase(it);
  events_.on_pod_gone(last->pod, gone);
}

}  // namespace subito::node
