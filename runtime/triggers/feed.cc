#include "runtime/triggers/feed.h"

#include <algorithm>
#include <utility>

#include "runtime/base/check.h"
#include "scheduler/backoff.h"

namespace subito::triggers {

Feed::Item* Feed::find(const std::string& id) {
  const auto arrival = by_id_.find(id);
  return arrival == by_id_.end() ? nullptr : &items_.at(arrival->second);
}

Feed::Item& Feed::add(const std::string& id, TimePoint now) {
  by_id_[id] = ++last_arrival_;
  Item& item = items_[last_arrival_];
  item.id = id;
  item.until = now;
  return item;
}

void Feed::remove(const std::string& id) {
  const auto arrival = by_id_.find(id);
  if (arrival == by_id_.end()) return;
  items_.erase(arrival->second);
  by_id_.erase(arrival);
}

void Feed::settle(Item& item, bool dead) {
  item.state = State::kSettling;
  item.dead = dead;
  item.asked = false;
}

void Feed::connected(TimePoint now, Actions& actions) {
  connected_ = true;
  recover(now, actions);
}

// What was asked and not answered may have happened: all of it is asked again.
void Feed::disconnected(TimePoint now) {
  connected_ = false;
  source_failed(now);
  recovering_ = false;
  wake_at_ = TimePoint::max();
}

void Feed::recover(TimePoint now, Actions& actions) {
  if (!connected_) return;
  recovering_ = true;
  recover_asked_ = false;
  recover_at_ = now;
  plan(now, actions);
}

void Feed::source_failed(TimePoint now) {
  looking_ = false;
  recovering_ = true;
  recover_asked_ = false;
  recover_at_ = now + kErrorPause;
  wake_at_ = recover_at_;
  for (auto& [arrival, item] : items_) {
    item.asked = false;
    if (item.state != State::kTaking) continue;
    item.state = State::kAside;
    item.until = now;
    item.taken = false;
  }
}

void Feed::changed(TimePoint now, Actions& actions) {
  changed_ = true;
  plan(now, actions);
}

void Feed::tick(TimePoint now, Actions& actions) {
  plan(now, actions);
}

void Feed::pause(bool paused, TimePoint now, Actions& actions) {
  paused_ = paused;
  plan(now, actions);
}

void Feed::recovered(TimePoint now, const std::vector<std::string>& ids, Actions& actions) {
  if (!recovering_ || !recover_asked_) return;  // an answer from before an error
  recovering_ = false;
  changed_ = true;
  for (const std::string& id : ids) {
    if (find(id) == nullptr) add(id, now);
  }
  plan(now, actions);
}

void Feed::found(TimePoint now, const Found& found, Actions& actions) {
  looking_ = false;
  changed_ = changed_ || found.more;
  next_look_ = found.next_in ? now + *found.next_in : TimePoint::max();
  for (const FoundItem& one : found.items) {
    if (find(one.id) != nullptr) continue;
    Item& item = add(one.id, now);
    item.taken = one.taken;
    item.number = one.taken ? 1 : 0;
    item.bytes = one.bytes;
  }
  plan(now, actions);
}

void Feed::taken(TimePoint now, const std::string& id, std::uint32_t number, Actions& actions) {
  Item* item = find(id);
  if (item == nullptr || item->state != State::kTaking) return;
  item->state = State::kAside;
  item->until = now;
  item->taken = true;
  item->number = number;
  if (limits_.deliveries_max != 0 && number > limits_.deliveries_max) {
    item->number = number - 1;
    item->why = "its last delivery was never answered: the node ended";
    settle(*item, true);
  }
  plan(now, actions);
}

void Feed::gone(TimePoint now, const std::string& id, Actions& actions) {
  remove(id);
  plan(now, actions);
}

void Feed::unfit(TimePoint now, const std::string& id, std::string why, Actions& actions) {
  Item* item = find(id);
  if (item == nullptr) item = &add(id, now);
  item->why = std::move(why);
  settle(*item, true);
  plan(now, actions);
}

void Feed::answered(TimePoint now, const std::string& id, Outcome outcome, std::string why,
                    Duration after, Actions& actions) {
  Item* item = find(id);
  CHECK(item != nullptr && item->state == State::kDelivering);
  item->why = std::move(why);
  item->taken = false;
  if (outcome == Outcome::kAccepted) {
    settle(*item, false);
  } else if (outcome == Outcome::kRefused) {
    ++item->refusals;
    if (item->number > 0) --item->number;
    actions.push_back({Action::Kind::kUntake, id, item->number});
    after = std::max(after, scheduler::backoff_delay(item->refusals));
    item->state = State::kAside;
    item->until = now + std::min(after, kPauseMax);
  } else if (limits_.deliveries_max != 0 && item->number >= limits_.deliveries_max) {
    settle(*item, true);
  } else {
    item->refusals = 0;
    after = std::max(after, scheduler::backoff_delay(std::max(item->number, 1U)));
    item->state = State::kAside;
    item->until = now + std::min(after, kPauseMax);
  }
  plan(now, actions);
}

void Feed::settled(TimePoint now, const std::string& id, Actions& actions) {
  const Item* item = find(id);
  if (item != nullptr && item->state == State::kSettling && item->asked) remove(id);
  plan(now, actions);
}

void Feed::plan(TimePoint now, Actions& actions) {
  wake_at_ = TimePoint::max();
  if (!connected_) return;
  if (recovering_ && !recover_asked_) {
    if (now < recover_at_) {
      wake_at_ = recover_at_;
      return;
    }
    recover_asked_ = true;
    looking_ = false;
    actions.push_back({Action::Kind::kRecover});
  }
  plan_settlements(actions);
  if (!may_begin()) return;
  const std::size_t room = plan_deliveries(now, actions);
  plan_look(now, room, actions);
  plan_wake(now, room);
}

void Feed::plan_settlements(Actions& actions) {
  for (auto& [arrival, item] : items_) {
    if (item.state != State::kSettling || item.asked) continue;
    item.asked = true;
    Action action{item.dead ? Action::Kind::kDeadLetter : Action::Kind::kAcknowledge, item.id,
                  item.number};
    if (item.dead) action.why = item.why;
    actions.push_back(std::move(action));
  }
}

// Deliveries that may begin.
std::size_t Feed::room() const {
  const auto busy = std::count_if(items_.begin(), items_.end(), [](const auto& entry) {
    const Item& item = entry.second;
    return item.state == State::kTaking || (item.state == State::kDelivering && !item.joined);
  });
  return limits_.in_flight - std::min<std::size_t>(limits_.in_flight, busy);
}

void Feed::begin(Item& item, Actions& actions) {
  item.state = item.taken ? State::kDelivering : State::kTaking;
  item.joined = false;
  actions.push_back({item.taken ? Action::Kind::kDeliver : Action::Kind::kTake, item.id,
                     item.taken ? item.number : 0});
}

// With a delivery that has just begun. `bytes`: what that holds.
bool Feed::join(Item& item, Action& delivery, std::size_t& bytes) const {
  const bool fresh = item.taken && item.number == 1;
  const bool fits = delivery.kind == Action::Kind::kDeliver && delivery.number == 1 &&
                    delivery.others.size() + 1 < limits_.batch &&
                    bytes + item.bytes <= kBatchBytesMax;
  if (!fresh || !fits) return false;
  bytes += item.bytes;
  item.state = State::kDelivering;
  item.joined = true;
  delivery.others.push_back(item.id);
  return true;
}

// Returns how many more there is room for.
std::size_t Feed::plan_deliveries(TimePoint now, Actions& actions) {
  std::size_t room = this->room();
  bool begun = false;  // the last action is one that others may join
  std::size_t bytes = 0;
  for (auto& [arrival, item] : items_) {
    if (item.state == State::kSettling) continue;
    const bool ready = item.state == State::kAside && item.until <= now;
    if (ready && begun && join(item, actions.back(), bytes)) continue;
    if (limits_.ordered && begun) return 0;
    if (ready && room > 0) {
      --room;
      begin(item, actions);
      begun = true;
      bytes = item.bytes;
    } else if (limits_.ordered) {
      return 0;  // behind the first nothing begins
    }
  }
  return limits_.ordered && begun ? 0 : room;
}

void Feed::plan_look(TimePoint now, std::size_t room, Actions& actions) {
  const bool due = changed_ || next_look_ <= now;
  if (!due || looking_ || room == 0 || items_.size() >= kAsideMax + limits_.in_flight) return;
  looking_ = true;
  changed_ = false;
  next_look_ = TimePoint::max();
  Action look{Action::Kind::kLook};
  look.room = std::min(room * limits_.batch, kLookMax);
  look.known = items_.size();
  actions.push_back(std::move(look));
}

void Feed::plan_wake(TimePoint now, std::size_t room) {
  if (!looking_ && room > 0 && next_look_ > now) wake_at_ = next_look_;
  // What is ready already waits for room, which comes with an answer.
  for (const auto& [arrival, item] : items_) {
    if (item.state == State::kSettling) continue;
    if (item.state == State::kAside && item.until > now) wake_at_ = std::min(wake_at_, item.until);
    if (limits_.ordered) break;
  }
}

std::size_t Feed::delivering() const {
  return static_cast<std::size_t>(
      std::count_if(items_.begin(), items_.end(),
                    [](const auto& entry) { return entry.second.state == State::kDelivering; }));
}

std::size_t Feed::backing_off() const {
  return static_cast<std::size_t>(
      std::count_if(items_.begin(), items_.end(), [](const auto& entry) {
        return entry.second.state == State::kAside && !entry.second.why.empty();
      }));
}

TimePoint Feed::next_try() const {
  TimePoint first = TimePoint::max();
  for (const auto& [arrival, item] : items_) {
    if (item.state == State::kAside && !item.why.empty()) first = std::min(first, item.until);
  }
  return first;
}

}  // namespace subito::triggers
