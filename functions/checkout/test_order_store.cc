#include "functions/checkout/test_order_store.h"

#include <algorithm>
#include <utility>

namespace shop {
namespace {

// Redis answers no 400: all that it does is to be away.
template <typename Answer>
Answer redis_fault(Fault) {
  throw subito::RedisError("the test lets Redis fail");
}

}  // namespace

std::string to_string(Fault fault) {
  switch (fault) {
    case Fault::kNone:
      return "nothing";
    case Fault::kBadRequest:
      return "400";
    case Fault::kUnavailable:
      return "503";
    case Fault::kNoAnswer:
      return "no answer";
    case Fault::kLost:
      return "answer lost";
    case Fault::kKillBefore:
      return "killed before";
    case Fault::kKillAfter:
      return "killed after";
    case Fault::kStallBefore:
      return "stalled before";
    case Fault::kStallAfter:
      return "stalled after";
  }
  return "?";
}

Begun MemoryOrderStore::begin(const std::string& key, const Order& order, Duration lease) {
  return plan_.run(
      [&]() -> Begun {
        using Outcome = Begun::Outcome;
        const std::string fingerprint = fingerprint_of(order);
        const auto [at, fresh] = records.try_emplace(key, KeyRecord{fingerprint, order.id, {}});
        const KeyRecord& record = at->second;
        if (fresh) {
          const std::int64_t until = now + lease.count();
          Kept& kept = orders[order.id] = {order, key, {}, until, now, {}};
          if (order.version > 0) kept.events.push_back(to_event(order, now));
          due[order.id] = until;
          return {Outcome::kStarted, order.id, until, {}};
        }
        if (record.fingerprint != fingerprint) return {Outcome::kMismatch, "", 0, {}};
        if (record.answer) return {Outcome::kReplay, record.order, 0, *record.answer};
        return {Outcome::kKnown, record.order, 0, {}};
      },
      redis_fault<Begun>);
}

Taken MemoryOrderStore::take(const std::string& id, Duration lease) {
  return plan_.run(
      [&]() -> Taken {
        const auto at = orders.find(id);
        if (at == orders.end()) return {Taken::Outcome::kUnknown, {}};
        Kept& kept = at->second;
        if (is_final(kept.order.status)) return {Taken::Outcome::kFinal, {}};
        if (kept.lease > now) return {Taken::Outcome::kHeld, {}};
        kept.lease = due[id] = now + lease.count();
        return {Taken::Outcome::kTaken,
                {kept.order, {}, kept.key, kept.refusal, kept.lease, Duration(now - kept.created)}};
      },
      redis_fault<Taken>);
}

bool MemoryOrderStore::change(const Work& work, Record record, const StoredAnswer& answer) {
  return plan_.run(
      [&] {
        const Order& order = work.next.back();
        Kept& kept = orders.at(order.id);
        if (kept.order.version != work.order.version) return false;
        if (kept.refusal && order.status != OrderStatus::kCancelled) return false;
        kept.order = order;
        for (const Order& step : work.next) kept.events.push_back(to_event(step, now));
        if (is_final(order.status)) due.erase(order.id);
        const auto known = records.find(kept.key);
        if (known == records.end() || known->second.order != order.id) return true;
        if (record == Record::kAnswer) known->second.answer = answer;
        if (record == Record::kForget) records.erase(known);
        return true;
      },
      redis_fault<bool>);
}

bool MemoryOrderStore::decide(const Work& work) {
  return plan_.run(
      [&] {
        Kept& kept = orders.at(work.order.id);
        if (kept.order.version != work.order.version || kept.refusal) return false;
        kept.refusal = work.refusal;
        return true;
      },
      redis_fault<bool>);
}

void MemoryOrderStore::let_go(const Work& work, Duration delay) {
  plan_.run(
      [&] {
        Kept& kept = orders.at(work.order.id);
        if (kept.lease != work.lease || !due.contains(work.order.id)) return false;
        kept.lease = 0;
        due[work.order.id] = now + delay.count();
        return true;
      },
      redis_fault<bool>);
}

std::optional<Order> MemoryOrderStore::find(const std::string& id) {
  const auto at = orders.find(id);
  if (at == orders.end() || at->second.order.version == 0) return std::nullopt;
  return at->second.order;
}

std::string MemoryOrderStore::wait_for_due() {
  const auto first = std::min_element(
      due.begin(), due.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  if (first == due.end()) return "";
  now = std::max(now, first->second);
  return first->first;
}

}  // namespace shop
