// ScheduleSource: the times of a cron expression, by the node's clock. They are kept nowhere: those
// that pass while the node is down, or while an earlier one is still tried, are not made up for.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "runtime/loop/loop.h"
#include "runtime/node/triggers/source.h"
#include "runtime/triggers/cron.h"

namespace subito::node {

class ScheduleSource final : public Source {
 public:
  using UnixClock = std::function<triggers::UnixMs()>;

  // `link` is asked for dead letters alone; null or keys without them: they are only told.
  ScheduleSource(Loop& loop, bindings::RedisLink* link, SourceEvents& events, SourceKeys keys,
                 triggers::Cron cron, std::string source, UnixClock clock);

  void recover() override;
  void look(std::size_t room, std::size_t known) override;
  void take(const std::string& id) override;
  void untake(const std::string& id, std::uint32_t number) override;
  void acknowledge(const std::vector<std::string>& ids) override;
  void dead_letter(const std::string& id, std::uint32_t number, const std::string& why) override;
  void replay(const DeadLetter& letter, Replayed done) override;

  triggers::UnixMs next() const { return next_; }

 private:
  void answer(std::function<void()> tell);
  void count_dead_letters();

  Loop& loop_;
  SourceEvents& events_;
  std::optional<SourceAsker> asker_;
  const SourceKeys keys_;
  const triggers::Cron cron_;
  const std::string source_;
  const UnixClock clock_;
  triggers::UnixMs next_;
  std::map<std::string, std::uint32_t> runs_;  // under way, and how often each was delivered
  const std::shared_ptr<const bool> alive_ = std::make_shared<const bool>(true);
};

}  // namespace subito::node
