// DueSource: the members of a Redis sorted set whose scores, milliseconds since 1970 by the clock
// of Redis, have come. An item is a member with its score: with another score it is another item.
#pragma once

#include <string>
#include <vector>

#include "runtime/node/triggers/source.h"

namespace subito::node {

class DueSource final : public Source {
 public:
  DueSource(bindings::RedisLink& link, SourceEvents& events, SourceKeys keys)
      : events_(events), asker_(link, events), keys_(std::move(keys)) {}

  void recover() override;
  void look(std::size_t room, std::size_t known) override;
  void take(const std::string& id) override;
  void untake(const std::string& id, std::uint32_t number) override;
  void acknowledge(const std::vector<std::string>& ids) override;
  void dead_letter(const std::string& id, std::uint32_t number, const std::string& why) override;
  void replay(const DeadLetter& letter, Replayed done) override;

 private:
  void found(const redisReply& reply, std::size_t limit);
  std::vector<std::string> all_keys() const { return {keys_.items, keys_.dead, keys_.tries}; }

  SourceEvents& events_;
  SourceAsker asker_;
  const SourceKeys keys_;
};

}  // namespace subito::node
