// Reporter: puts what the engine sees into words: events of the journal, records of the log book
// and the node's own log. Owned by the node, on the loop's thread.
#pragma once

#include <string>
#include <string_view>

#include "runtime/node/engine.h"
#include "runtime/node/journal.h"
#include "runtime/node/log_book.h"

namespace subito::node {

class Reporter final : public EngineObserver {
 public:
  Reporter(Journal& journal, LogBook& logs) : journal_(journal), logs_(logs) {}

  void on_started(const Pod& pod) override;
  void on_start_failed(const Pod& pod, const Error& error) override;
  void on_draining(const Pod& pod, const scheduler::DrainPod& drain) override;
  void on_stopping(const Pod& pod, const scheduler::StopPod& stop) override;
  void on_gone(const Pod& pod, const PodGone& gone, std::uint64_t served) override;
  void on_output(const Pod& pod, std::string_view line) override;
  void on_log(const Pod& pod, const protocol::Log& log, const std::string& request_id) override;
  void on_exception(const Pod& pod, const protocol::Failure& failure,
                    const std::string& request_id) override;
  void on_refused(const Revision& revision, const Failure& failure,
                  const std::string& request_id) override;

  // An event about a function as a whole.
  void event(std::string_view function, std::string reason, std::string message);

 private:
  void event(const Pod& pod, std::string reason, std::string message);
  void system_log(const std::string& function, const std::string& pod, api::LogLevel level,
                  std::string message, const std::string& request_id = {});

  Journal& journal_;
  LogBook& logs_;
};

}  // namespace subito::node
