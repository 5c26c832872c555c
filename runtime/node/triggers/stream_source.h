// StreamSource: the entries of a Redis stream, read by a consumer group of this trigger.
#pragma once

#include <string>
#include <vector>

#include "runtime/node/triggers/source.h"

namespace subito::node {

class StreamSource final : public Source {
 public:
  StreamSource(bindings::RedisLink& link, SourceEvents& events, SourceKeys keys)
      : events_(events), asker_(link, events), keys_(std::move(keys)) {}

  void recover() override;
  void look(std::size_t room, std::size_t known) override;
  void take(const std::string& id) override;
  void untake(const std::string& id, std::uint32_t number) override;
  void acknowledge(const std::vector<std::string>& ids) override;
  void dead_letter(const std::string& id, std::uint32_t number, const std::string& why) override;
  void replay(const DeadLetter& letter, Replayed done) override;

 private:
  void found(const redisReply& reply, std::size_t room);
  Occurrence occurrence(const std::string& id, const redisReply& fields) const;

  SourceEvents& events_;
  SourceAsker asker_;
  const SourceKeys keys_;
};

}  // namespace subito::node
