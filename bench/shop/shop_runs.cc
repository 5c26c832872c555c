// The shop: what is sent and timed.
#include <algorithm>
#include <array>
#include <random>

#include "bench/figures.h"
#include "bench/interrupt.h"
#include "bench/progress_line.h"
#include "bench/shop/orders.h"
#include "bench/shop/shop.h"
#include "bench/shop/shop_bed.h"

namespace subito::bench {

namespace {

using std::chrono::nanoseconds;

constexpr const char* kEmptyFunction = "empty";
constexpr const char* kStartFunction = "start";
constexpr const char* kEmptyIdle = "5s";  // as long as the shop's own pods stay
// Of the warm part: turns a round, the first ones not counted, and a rest before each request, so
// that what an order leaves behind (its events, which the history takes in) does not run beside the
// next.
constexpr std::uint32_t kTurnsARound = 10;
constexpr std::uint32_t kTurnsNotCounted = 5;
constexpr std::chrono::milliseconds kTurnRest{40};
// After the last answer: open orders get so long to be asked for again or to be carried on.
constexpr std::chrono::seconds kShopSettleMax{15};
constexpr std::chrono::milliseconds kShopSettleEvery{100};

HttpRequest page_of(const std::string& path) {
  return {"GET", path, {}, ""};
}

LoadKind pages(const std::string& path) {
  return {[path] { return page_of(path); }};
}

LoadKind orders_of(Orders& orders, HttpRequest (Orders::*make)()) {
  return {[&orders, make] { return (orders.*make)(); },
          [&orders](const HttpRequest& request, const LoadAnswer& answer) {
            orders.answered(request, answer.status, answer.body);
          }};
}

// The basket is the browser's: adding to it reads one product, viewing it the joined list.
Load mix_load(Orders& orders, const std::vector<std::string>& products, std::uint64_t seed) {
  Load load;
  const auto product = [&products, random = std::mt19937_64(seed + 1)]() mutable {
    return page_of("/function/catalogue/products/" + products[random() % products.size()]);
  };
  load.kinds = {pages("/"),
                pages("/products"),
                LoadKind{product},
                pages("/products"),
                orders_of(orders, &Orders::place),
                orders_of(orders, &Orders::again)};
  std::vector<std::uint32_t> weights;
  for (const ShopKind& kind : kMixKinds) weights.push_back(kind.weight);
  load.next_kind = by_weights(weights, seed);
  return load;
}

Status run_shop_load(ShopBed& bed, Orders& orders, ShopResult& result) {
  const ShopOptions& options = result.options;
  const bool original = options.mode == ShopOptions::Mode::kOriginal;
  Load load;
  if (original) {
    load.kinds = {pages("/"), pages("/products")};
    RETURN_IF_ERROR(bed.api().await_zero(options.pool_size));
  } else {
    load = mix_load(orders, bed.products(), result.seed);
  }
  load.per_second = options.per_second;
  ProgressLine line;
  LoadWatch watch;
  watch.keep_interrupted = true;
  watch.progress = [&](nanoseconds left) {
    line.show(format("%s: %.0f s left of %.0f s; Ctrl-C ends it and keeps what there is",
                     original ? "original" : "mix", std::chrono::duration<double>(left).count(),
                     std::chrono::duration<double>(options.time).count()));
  };
  ASSIGN_OR_RETURN(std::vector<LoadResult> results,
                   run_loads(bed.gateway(), {load}, options.time, watch));
  result.load = std::move(results[0]);
  result.in_flight = orders.sums().in_flight;
  return ok();
}

void keep_sample(ShopResult& result, const Result<ShopBed::Timed>& timed, int status,
                 Samples* samples) {
  if (timed && timed->reply.status == status) {
    if (samples != nullptr) samples->push_back(timed->took_ns);
    return;
  }
  if (Interrupt::happened() || result.wrong++ > 0) return;
  result.first_wrong = timed ? "status " + std::to_string(timed->reply.status) + ": " +
                                   timed->reply.body.substr(0, 200)
                             : timed.error().message;
}

Status time_order(ShopBed& bed, Orders& orders, const char* fsync, ShopResult& result,
                  Samples* samples) {
  RETURN_IF_ERROR(bed.redis().sync(fsync));
  const HttpRequest request = orders.place();
  const auto timed = bed.time(request);
  if (timed) orders.answered(request, timed->reply.status, timed->reply.body);
  keep_sample(result, timed, 201, samples);
  return ok();
}

void time_page(ShopBed& bed, const std::string& path, ShopResult& result, Samples* samples) {
  keep_sample(result, bed.time(page_of(path)), 200, samples);
}

// One turn: each kind once, in an order drawn anew.
Status run_turn(ShopBed& bed, Orders& orders, std::mt19937_64& random, ShopResult& result,
                bool counts) {
  const std::string empty = std::string("/function/") + kEmptyFunction + "/";
  std::array<int, 3> kinds = {0, 1, 2};
  std::shuffle(kinds.begin(), kinds.end(), random);
  for (const int kind : kinds) {
    if (!rest(kTurnRest)) return ok();
    if (kind == 0) {
      RETURN_IF_ERROR(time_order(bed, orders, "no", result, counts ? &result.order : nullptr));
    } else if (kind == 1) {
      RETURN_IF_ERROR(
          time_order(bed, orders, "always", result, counts ? &result.order_synced : nullptr));
    } else {
      time_page(bed, empty, result, counts ? &result.empty : nullptr);
    }
  }
  return ok();
}

Status run_warm(ShopBed& bed, Orders& orders, std::mt19937_64& random, ShopResult& result) {
  ProgressLine line;
  const std::uint32_t all = kTurnsNotCounted + result.options.rounds * kTurnsARound;
  for (std::uint32_t i = 0; i < all && result.wrong < kShopWrongMax; ++i) {
    line.show(format("warm: turn %u of %u", i + 1, all));
    RETURN_IF_ERROR(run_turn(bed, orders, random, result, i >= kTurnsNotCounted));
    if (Interrupt::happened()) break;
  }
  return bed.redis().sync("always");
}

Status run_asleep(ShopBed& bed, std::mt19937_64& random, ShopResult& result) {
  ProgressLine line;
  const std::string start = std::string("/function/") + kStartFunction + "/";
  const std::uint32_t rounds = result.options.rounds;
  for (std::uint32_t i = 0; i < rounds && result.wrong < kShopWrongMax; ++i) {
    line.show(format("asleep: round %u of %u, each waits until no pod is left", i + 1, rounds));
    const bool page_first = random() % 2 == 0;
    for (const bool page : {page_first, !page_first}) {
      RETURN_IF_ERROR(bed.api().await_zero(result.options.pool_size));
      time_page(bed, page ? "/" : start, result, page ? &result.page : &result.start);
    }
  }
  return ok();
}

Status run_latency(ShopBed& bed, Orders& orders, ShopResult& result) {
  RETURN_IF_ERROR(bed.api().deploy({kEmptyFunction, bed.binary(), "pooled", kEmptyIdle}));
  RETURN_IF_ERROR(bed.api().deploy({kStartFunction, bed.binary(), "pooled"}));
  std::mt19937_64 random(result.seed + 2);
  RETURN_IF_ERROR(run_warm(bed, orders, random, result));
  if (Interrupt::happened()) return ok();
  const auto asleep = run_asleep(bed, random, result);
  return Interrupt::happened() ? ok() : asleep;
}

// Orders that have no final answer are asked for again, as a shop's customers would, until nothing
// is under way any more.
Status close_books(ShopBed& bed, Orders& orders, Account& account) {
  const auto deadline = std::chrono::steady_clock::now() + kShopSettleMax;
  for (;;) {
    for (const HttpRequest& request : orders.open()) {
      ASSIGN_OR_RETURN(const HttpReply reply, bed.ask(request));
      orders.answered(request, reply.status, reply.body);
    }
    account.ordered = orders.sums();
    ASSIGN_OR_RETURN(account.after, bed.books());
    ASSIGN_OR_RETURN(account.stored, bed.redis().books());
    ASSIGN_OR_RETURN(account.stored_after, bed.redis().orders());
    if (settled(account) || std::chrono::steady_clock::now() > deadline) return ok();
    if (!rest(kShopSettleEvery)) return ok();
  }
}

}  // namespace

Result<ShopResult> measure_shop(const ShopOptions& options) {
  ShopResult result;
  result.options = options;
  result.seed = options.seed ? *options.seed : std::random_device()();
  ASSIGN_OR_RETURN(ShopBed bed, ShopBed::make(options));
  Orders orders(bed.products(), result.seed);
  Account account;
  ASSIGN_OR_RETURN(account.before, bed.books());
  ASSIGN_OR_RETURN(account.stored_before, bed.redis().orders());
  result.money_checked = account.before.guest.has_value();
  if (options.mode == ShopOptions::Mode::kLatency) {
    RETURN_IF_ERROR(run_latency(bed, orders, result));
  } else {
    RETURN_IF_ERROR(run_shop_load(bed, orders, result));
  }
  if (const auto closed = close_books(bed, orders, account); !closed) {
    result.differences.push_back("the books could not be read: " + closed.error().message);
  } else {
    result.differences = differences(account);
  }
  for (const std::string& fault : orders.faults()) result.differences.push_back(fault);
  result.ordered = orders.sums();
  result.interrupted = Interrupt::happened();
  return result;
}

}  // namespace subito::bench
