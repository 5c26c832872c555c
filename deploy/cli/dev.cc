// subito dev FOLDER: builds and deploys it whenever a source is saved, and shows between what its
// functions say and answer. One thread, poll(2): what waits (a compiler, the node's streams, the
// next save, Ctrl-C) is waited for at once; only a deploy is not (the node bounds it, Ctrl-C ends
// it).
#include <poll.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "deploy/cli/build.h"
#include "deploy/cli/deployment.h"
#include "deploy/cli/dev_plan.h"
#include "deploy/cli/folder_watch.h"
#include "deploy/cli/follower.h"
#include "deploy/cli/interrupt.h"
#include "deploy/manifest/qualified_name.h"

namespace subito::cli {

namespace {

struct DevOptions {
  std::string folder;
  bool verbose = false;
};

// Requests of a command that Ctrl-C ends.
class Interruptible final : public api::Transport {
 public:
  Interruptible(std::unique_ptr<api::Transport> transport, std::function<bool()> give_up)
      : transport_(std::move(transport)), give_up_(std::move(give_up)) {}

  Result<api::ClientReply> send(const api::ClientRequest& request) override {
    return transport_->send(with_end(request));
  }
  Result<api::ClientReply> stream(const api::ClientRequest& request,
                                  const std::function<bool(std::string_view)>& on_line) override {
    return transport_->stream(with_end(request), on_line);
  }
  Result<api::ClientReply> receive(const api::ClientRequest& request,
                                   const std::function<bool(std::string_view)>& on_piece) override {
    return transport_->receive(with_end(request), on_piece);
  }

 private:
  api::ClientRequest with_end(api::ClientRequest request) const {
    request.give_up = give_up_;
    return request;
  }

  std::unique_ptr<api::Transport> transport_;
  std::function<bool()> give_up_;
};

double microseconds(Duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

class Dev {
 public:
  Dev(const Session& session, const DevOptions& options, FolderWatch watch)
      : session_(session),
        options_(options),
        watch_(std::move(watch)),
        plan_(clock_.now()),
        node_(std::make_unique<Interruptible>(session.connect(session.endpoint()),
                                              [this] { return interrupt_.came(); }),
              session.endpoint()),
        follower_(session) {}

  int run() {
    while (!ended()) {
      switch (plan_.next(clock_.now())) {
        case DevPlan::Step::kWait:
          wait(-1, plan_.deadline());
          break;
        case DevPlan::Step::kBuild:
          build();
          break;
        case DevPlan::Step::kDeploy:
          deploy();
          break;
        case DevPlan::Step::kReach:
          reach();
          break;
      }
    }
    farewell();
    return exit_code_;
  }

 private:
  bool ended() { return exit_code_ != kOk || !session_.out().good() || interrupt_.came(); }
  void say(const std::string& line) const { session_.out() << line << std::endl; }

  // Until something happens, or the deadline; whether `fd` is readable then.
  bool wait(int fd, std::optional<TimePoint> deadline) {
    std::vector<pollfd> polled = {
        {interrupt_.fd(), POLLIN, 0}, {watch_.fd(), POLLIN, 0}, {fd, POLLIN, 0}};
    follower_.add_to(polled);
    int timeout_ms = -1;
    if (deadline) {
      const auto left = std::max(*deadline - clock_.now(), Duration::zero());
      timeout_ms = static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
    }
    (void)::poll(polled.data(), polled.size(), timeout_ms);
    take_changes();
    if (const Status status = follower_.read(); !status) stream_ended(status.error());
    tell_deleted();
    return polled[2].revents != 0;
  }

  void take_changes() {
    auto changes = watch_.changes();
    if (!changes) {
      exit_code_ = session_.tell(kFailed, "dev: " + changes.error().message);
      return;
    }
    if (changes->empty()) return;
    changed_.merge(*changes);
    plan_.changed(clock_.now());
  }

  void stream_ended(const Error& error) {
    if (error.code == ErrorCode::kUnavailable) return lost_node("the node has gone");
    (void)session_.tell(kFailed, error.message);
  }

  void tell_deleted() {
    for (const std::string& name : follower_.take_deleted()) {
      if (revisions_.erase(name) > 0) say(name + " was deleted; the next save deploys it anew");
    }
  }

  void lost_node(const std::string& why) {
    follower_.forget_all();
    if (!plan_.node_away()) {
      (void)session_.tell(kNoNode, why);
      say("waiting for the node at " + session_.endpoint().name());
    }
    plan_.lost_node(clock_.now());
  }

  // As run_program(), but what else happens is not left alone meanwhile.
  Result<ProgramEnd> run_beside(const std::vector<std::string>& command, std::ostream* show) {
    ASSIGN_OR_RETURN(Program program, Program::start(command));
    for (bool more = true; more;) {
      if (wait(program.output(), std::nullopt)) more = program.read(show);
      if (ended()) return fail(ErrorCode::kCancelled, "interrupted");
    }
    return std::move(program).wait();
  }

  void build() {
    plan_.begin_build();
    const TimePoint begun = clock_.now();
    tell_changes();
    Environment environment = session_.environment;
    environment.run = [this](const auto& command, std::ostream* show) {
      return run_beside(command, show);
    };
    Outcome<void> built;
    if (has_build(options_.folder))
      built = build_folder(environment, options_.folder, options_.verbose);
    if (ended()) return;
    built_at_ = clock_.now();
    build_time_ = built_at_ - begun;
    plan_.built(built.has_value());
    if (!built) told_wrong(built.error());
  }

  // What editors wrote beside the file and moved in its place is not worth a word.
  void tell_changes() {
    const auto gone = [&](const std::string& file) {
      return !std::filesystem::exists(std::filesystem::path(options_.folder) / file);
    };
    if (!std::all_of(changed_.begin(), changed_.end(), gone)) std::erase_if(changed_, gone);
    if (changed_.empty()) return say("building " + options_.folder + " ...");
    const std::size_t more = changed_.size() - 1;
    say(printable(*changed_.begin()) +
        (more > 0 ? " and " + std::to_string(more) + " more" : std::string()) +
        " changed, building ...");
    changed_.clear();
  }

  void told_wrong(const Failure& failure) const {
    (void)session_.tell(failure);
    what_stays();
  }

  void what_stays() const {
    std::string stays;
    for (const auto& [name, revision] : revisions_)
      stays += (stays.empty() ? "" : ", ") + name + " revision " + std::to_string(revision) +
               " still answers";
    say((stays.empty() ? "nothing is deployed yet" : stays) + "; save to try again");
  }

  // Nothing after it told what is wrong with the manifests or their binaries.
  std::optional<Manifests> judged() const {
    auto manifests = read_manifests(session_, {options_.folder});
    if (!manifests) {
      told_wrong(manifests.error());
      return std::nullopt;
    }
    if (const auto wrong = wrong_binaries(*manifests); !wrong.empty()) {
      (void)session_.tell(kRefused, wrong);
      what_stays();
      return std::nullopt;
    }
    return std::move(*manifests);
  }

  void deploy() {
    const auto manifests = judged();
    if (!manifests) return plan_.deployed();
    for (const manifest::Manifest& one : *manifests) {
      const auto receipt = send_deploy(node_, one, {});
      if (ended()) return;
      if (receipt) {
        deployed(one.function, *receipt);
      } else if (receipt.error().problem.is_null() && receipt.error().exit_code != kRefused) {
        return lost_node(receipt.error().message);  // no answer of the node's own
      } else {
        deploy_failed(one, receipt.error());
      }
    }
    plan_.deployed();
    follow();
  }

  // What the pod of a check said is in its function's log, which is printed as it comes.
  void deploy_failed(const manifest::Manifest& one, const Failure& failure) {
    const bool followed = follower_.follows(manifest::qualified_name(one.function.metadata()));
    if (const Status status = follower_.read(); !status) stream_ended(status.error());
    (void)tell_deploy_failure(session_, one, failure, !followed);
    what_stays();
  }

  void deployed(const manifest::Function& function, const Json& receipt) {
    const std::string name = manifest::qualified_name(function.metadata());
    const auto revision = receipt.value("revision", std::uint64_t{0});
    const std::string words = name + " revision " + std::to_string(revision);
    const bool first = revisions_.emplace(name, revision).second;
    const bool unchanged = revisions_[name] == revision;
    revisions_[name] = revision;
    if (first) {
      print_receipt(session_, receipt, function);
      say("watching " + options_.folder + "; Ctrl-C ends this");
    } else if (unchanged) {
      say("built in " + time_words(microseconds(build_time_)) + ", unchanged: " + words +
          " still answers");
    } else {
      say(coloured(name, Colour::kBold, session_.colours()) + " rebuilt in " +
          time_words(microseconds(build_time_)) + ", revision " + std::to_string(revision) +
          " answers after " + time_words(microseconds(clock_.now() - built_at_)));
    }
  }

  void follow() {
    for (const auto& [name, revision] : revisions_) {
      if (const Status status = follower_.follow(name); !status)
        return stream_ended(status.error());
    }
  }

  void reach() {
    const auto answer = node_.get("/v1/healthz");
    if (!answer) return plan_.lost_node(clock_.now());
    say("the node is back");
    plan_.reached();
    built_at_ = clock_.now();
    follow();
  }

  void farewell() const {
    if (session_.environment.out_is_terminal) say("");  // behind the ^C
    for (const auto& [name, revision] : revisions_)
      say(name + " revision " + std::to_string(revision) +
          " stays deployed; delete it with: subito "
          "delete " +
          name);
    if (revisions_.empty()) say("nothing was deployed");
  }

  const Session& session_;
  const DevOptions& options_;
  SystemClock clock_;
  Interrupt interrupt_;
  FolderWatch watch_;
  DevPlan plan_;
  Node node_;
  Follower follower_;
  std::set<std::string> changed_;                   // not told yet
  std::map<std::string, std::uint64_t> revisions_;  // that answer, by function
  TimePoint built_at_;
  Duration build_time_{};
  int exit_code_ = kOk;
};

int dev(const Session& session, const DevOptions& options) {
  const auto wrong = [&](const std::string& reason) {
    return session.tell(kUsage, "dev " + options.folder + ": " + reason);
  };
  if (const auto socket = session.local_socket("dev"); !socket) return session.tell(socket.error());
  if (!std::filesystem::exists(options.folder))
    return wrong("there is no such folder; `subito new NAME` writes one");
  if (!std::filesystem::is_directory(options.folder)) return wrong("is no folder");
  auto watch = FolderWatch::open(options.folder);
  if (!watch) return session.tell(kFailed, "dev: " + watch.error().message);
  return Dev(session, options, *std::move(watch)).run();
}

}  // namespace

void add_dev(CLI::App& app, Session& session) {
  auto options = std::make_shared<DevOptions>();
  CLI::App& command = *app.add_subcommand(
      "dev", "Build and deploy a folder at every save; show what its functions say and answer");
  command.group("Functions");
  command.add_option("FOLDER", options->folder, "a folder as `subito new` writes it")
      ->required()
      ->type_name("");
  command.add_flag("-v,--verbose", options->verbose, "show what cmake and the compiler say");
  command.callback([&session, options] {
    session.action = [&session, options] { return dev(session, *options); };
  });
}

}  // namespace subito::cli
