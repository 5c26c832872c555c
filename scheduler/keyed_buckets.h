// KeyedBuckets: a token bucket for each key (of a caller, say), bounded. A full bucket tells
// nothing: when there is no room the one that was used least recently goes, if it is full by now.
// If it is not, as many keys as fit are really at their limits: further ones share one bucket until
// there is room.
//
// Pure; each call is O(1). Owned by RateLimits.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "scheduler/token_bucket.h"

namespace subito::scheduler {

class KeyedBuckets {
 public:
  static constexpr std::size_t kKeysMax = 4096;  // some 0.7 MB

  KeyedBuckets(const Rate& rate, TimePoint now, std::size_t keys_max = kKeysMax)
      : keys_max_(keys_max), shared_(rate, now) {}

  const Rate& rate() const { return shared_.rate(); }
  // Begins anew: with another rate the old levels tell little.
  void set_rate(const Rate& rate, TimePoint now) {
    if (rate == shared_.rate()) return;
    by_key_.clear();
    used_.clear();
    shared_ = TokenBucket(rate, now);
  }

  // Refilled. Valid until the next call.
  TokenBucket& of(std::string_view key, TimePoint now) {
    if (const auto at = by_key_.find(key); at != by_key_.end()) {
      used_.splice(used_.begin(), used_, at->second);
    } else if (used_.size() < keys_max_ || drop_oldest(now)) {
      used_.push_front({std::string(key), TokenBucket(rate(), now)});
      by_key_.emplace(used_.front().key, used_.begin());
    } else {
      shared_.refill(now);
      return shared_;
    }
    TokenBucket& bucket = used_.front().bucket;
    bucket.refill(now);
    return bucket;
  }
  std::size_t size() const { return used_.size(); }

 private:
  struct Entry {
    std::string key;
    TokenBucket bucket;
  };

  bool drop_oldest(TimePoint now) {
    if (used_.empty()) return false;
    Entry& oldest = used_.back();
    oldest.bucket.refill(now);
    if (!oldest.bucket.full()) return false;
    by_key_.erase(oldest.key);
    used_.pop_back();
    return true;
  }

  std::size_t keys_max_;
  TokenBucket shared_;
  std::list<Entry> used_;                                                    // the last one first
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_key_;  // keys of used_
};

}  // namespace subito::scheduler
