// Reporter: puts what the engine sees into words: events of the journal, records of the log book
// and the node's own log. Owned by the node, on the loop's thread.
//
// What a pod worked on when it died or threw is named by method and path, never by its query.
// A backtrace is in the log once its functions have names, some milliseconds after it came; so is
// the event of the pod's end that names the place. A pod that reports by which signal it dies is
// not reported a second time. What was thrown and died of is counted in an ExceptionBook, once
// each.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/node/engine.h"
#include "runtime/node/journal.h"
#include "runtime/node/log_book.h"
#include "runtime/node/logs/exception_book.h"
#include "runtime/node/symbolizer.h"

namespace subito::node {

class Reporter final : public EngineObserver {
 public:
  Reporter(Journal& journal, LogBook& logs, Symbolizer& symbolizer)
      : journal_(journal), logs_(logs), symbolizer_(symbolizer) {}

  void on_started(const Pod& pod) override;
  void on_start_failed(const Pod& pod, const Error& error) override;
  void on_draining(const Pod& pod, const scheduler::DrainPod& drain) override;
  void on_gone(const Pod& pod, const PodGone& gone, std::uint64_t served,
               const AtWork& at_work) override;
  void on_probe_gone(const Pod& pod) override;
  void on_output(const Pod& pod, std::string_view line, const AtWork& at_work) override;
  void on_template(const Revision& revision, const pods::TemplateView& view) override;
  void on_log(const Pod& pod, const protocol::Log& log, const AtWork& at_work) override;
  void on_exception(const Pod& pod, const protocol::Failure& failure,
                    const AtWork& at_work) override;
  void on_refused(const Revision& revision, const Failure& failure, const AtWork& at_work) override;

  // An event about a function as a whole.
  void event(std::string_view function, std::string reason, std::string message);

  // Calls back once the report of that pod's crash is in the log: at once if none is awaited, and
  // from within forget() if its function is forgotten before.
  void after_crash_report(const std::string& pod, std::function<void()> callback);
  const ExceptionBook& exceptions() const { return exceptions_; }
  // Events, logs, exceptions and what is still awaited of a function that is no more.
  void forget(std::string_view function);

 private:
  // From a pod's report of its crash until it is gone and the report is in the log.
  struct Crash {
    std::string function;
    int signal = 0;
    bool asked_for = false;  // by the node, which kills it
    bool reported = false;
    std::string at_work;
    std::string place;  // the function of the pod where it happened
    bool gone = false;
    std::optional<api::Event> end;  // waits for the place
    std::vector<std::function<void()>> waiting;
  };

  void event(const Pod& pod, std::string reason, std::string message);
  void add_event(api::Event event);
  void add_with_backtrace(api::LogRecord record, BacktraceQuery query, std::string intro,
                          const std::string& crashed, Incident one);
  void count(const Incident& one, const std::vector<std::string>& frames);
  void crash_reported(const std::string& pod, const Backtrace& backtrace);
  // True: the pod itself said how it ends; the event is made, or will be.
  bool end_of_crash(const Pod& pod, const PodGone& gone);
  void add_end(api::Event end, const Crash& crash);
  void crash_gone(const std::string& pod);

  Journal& journal_;
  LogBook& logs_;
  Symbolizer& symbolizer_;
  ExceptionBook exceptions_;
  std::map<std::string, Crash> crashes_;  // by pod
};

}  // namespace subito::node
