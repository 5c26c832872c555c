#include "bench/shop/shop.h"

#include "bench/figures.h"
#include "bench/measures.h"

namespace subito::bench {

namespace {

using Json = nlohmann::ordered_json;
using Mode = ShopOptions::Mode;

const char* mode_name(Mode mode) {
  switch (mode) {
    case Mode::kMix:
      return "mix";
    case Mode::kOriginal:
      return "original";
    case Mode::kLatency:
      return "latency";
  }
  return "";
}

std::uint32_t answered_2xx(const LoadResult& load) {
  std::uint32_t sum = 0;
  for (const auto& [status, count] : load.statuses) sum += status / 100 == 2 ? count : 0;
  return sum;
}

double slowest_ms(const LoadResult& load) {
  return ms(percentile(load.samples, 1));
}

// One promise, as all that is told of it.
struct Promise {
  std::string words;  // up to the figure
  const char* limit_name;
  double limit;
  const char* figure_name;
  double figure;
  bool met;
};

bool below(double figure, double limit, bool measured) {
  return measured && figure <= limit;
}

std::vector<Promise> promises_of(const ShopResult& result) {
  std::vector<Promise> promises;
  const auto failures = static_cast<double>(result.failures());
  promises.push_back({"no failure", "max", 0, "failures", failures, failures == 0});
  if (result.options.mode == Mode::kOriginal) {
    const double slowest = slowest_ms(result.load);
    promises.push_back({"slowest answer under 50 ms, from zero pods", "millisMax",
                        kOriginalSlowestMsMax, "millis", slowest,
                        !result.load.samples.empty() && slowest < kOriginalSlowestMsMax});
  }
  if (result.options.mode == Mode::kLatency) {
    const double order = result.order_ratio().middle;
    const double page = result.page_ratio().middle;
    promises.push_back(
        {"warm POST /orders at most 6 times a call of an empty function, p50, with "
         "appendfsync no",
         "ratioMax", kOrderRatioMax, "ratio", order, below(order, kOrderRatioMax, order > 0)});
    promises.push_back({"the first page from sleep at most 6 times one cold start, p50", "ratioMax",
                        kPageRatioMax, "ratio", page, below(page, kPageRatioMax, page > 0)});
  }
  const auto count = static_cast<double>(result.differences.size());
  promises.push_back(
      {"stock, money and orders add up", "max", 0, "differences", count, count == 0});
  return promises;
}

Json shop_times_json(const Samples& samples) {
  return {{"n", samples.size()},
          {"p50Millis", ms(percentile(samples, 0.5))},
          {"p99Millis", ms(percentile(samples, 0.99))},
          {"maxMillis", ms(percentile(samples, 1))}};
}

Json kinds_json(const ShopResult& result) {
  Json kinds = Json::array();
  for (std::size_t i = 0; i < result.load.kinds.size(); ++i) {
    const LoadResult& load = result.load.kinds[i];
    Json kind = {{"name", result.kinds()[i].name}};
    kind.update(load_json(load, load.sent + load.unsent - answered_2xx(load)));
    kind["maxMillis"] = slowest_ms(load);
    kinds.push_back(std::move(kind));
  }
  return kinds;
}

std::vector<Measure> shop_measures(const ShopResult& result) {
  if (result.options.mode == Mode::kLatency) {
    const std::string warm = "warm answers";
    const std::string first = "first answers, from zero pods";
    return {times_measure(warm, "order, appendfsync no", result.order),
            times_measure(warm, "order, appendfsync always", result.order_synced),
            times_measure(warm, "empty function", result.empty),
            times_measure(first, "page", result.page),
            times_measure(first, "empty function", result.start)};
  }
  std::vector<Measure> measures;
  for (std::size_t i = 0; i < result.load.kinds.size(); ++i) {
    measures.push_back(times_measure("answers by kind of request", result.kinds()[i].name,
                                     result.load.kinds[i].samples));
  }
  return measures;
}

Json latency_json(const ShopResult& result) {
  return {{"warmOrder", shop_times_json(result.order)},
          {"warmOrderSynced", shop_times_json(result.order_synced)},
          {"warmEmpty", shop_times_json(result.empty)},
          {"firstPage", shop_times_json(result.page)},
          {"coldStart", shop_times_json(result.start)},
          {"orderRatio", to_json(result.order_ratio())},
          {"orderSyncedRatio", to_json(result.order_synced_ratio())},
          {"pageRatio", to_json(result.page_ratio())}};
}

Json orders_json(const OrderSums& sums) {
  return {{"keys", sums.keys},     {"sentAgain", sums.sent_again},
          {"placed", sums.placed}, {"refused", sums.refused},
          {"open", sums.open},     {"inFlight", sums.in_flight},
          {"pieces", sums.pieces}, {"totalMinor", sums.total_minor}};
}

std::string times_row(const std::string& name, const Samples& samples, const std::string& rest) {
  return format("| %s | %zu | %.2f | %.2f | %.2f |", name.c_str(), samples.size(),
                ms(percentile(samples, 0.5)), ms(percentile(samples, 0.99)),
                ms(percentile(samples, 1))) +
         rest + "\n";
}

std::string statuses_cell(const LoadResult& load) {
  std::string text;
  for (const auto& [status, count] : load.statuses) {
    text += (text.empty() ? " " : ", ") + format("%d: %u", status, count);
  }
  if (load.broken > 0) text += format("%s broken: %u", text.empty() ? "" : ",", load.broken);
  if (load.unsent > 0) text += format("%s unsent: %u", text.empty() ? "" : ",", load.unsent);
  return text + " |";
}

std::string load_text(const ShopResult& result) {
  std::string text = "| ms | n | p50 | p99 | slowest | answers |\n|---|--:|--:|--:|--:|---|\n";
  for (std::size_t i = 0; i < result.load.kinds.size(); ++i) {
    const LoadResult& load = result.load.kinds[i];
    text += times_row(result.kinds()[i].name, load.samples, statuses_cell(load));
  }
  text += times_row("all", result.load.samples, statuses_cell(result.load));
  if (result.load.broken > 0) text += "\nThe first broken one: " + result.load.first_fault + "\n";
  if (result.in_flight > 0) {
    text += format("\n%u of the 409 came for a key asked again while its order was on the way.\n",
                   result.in_flight);
  }
  return text;
}

std::string spread_text(const char* name, const Ratio& ratio) {
  return format("- %s: %.2f (%.2f to %.2f)\n", name, ratio.middle, ratio.low, ratio.high);
}

std::string latency_text(const ShopResult& result) {
  std::string text = "| ms | n | p50 | p99 | slowest |\n|---|--:|--:|--:|--:|\n";
  text += times_row("POST /orders, warm, appendfsync no", result.order, "");
  text += times_row("POST /orders, warm, appendfsync always", result.order_synced, "");
  text += times_row("an empty function, warm", result.empty, "");
  text += times_row("first page, no pod there", result.page, "");
  text += times_row("an empty function, no pod there", result.start, "");
  text += "\n" + spread_text("p50 of POST /orders over an empty function, appendfsync no",
                             result.order_ratio());
  text +=
      spread_text("the same with appendfsync always, the default: each change waits for the disk",
                  result.order_synced_ratio());
  text += spread_text("p50 of the first page over one cold start", result.page_ratio());
  if (result.wrong > 0) {
    text += format("\n%u wrong answers, the first: ", result.wrong) + result.first_wrong + "\n";
  }
  return text;
}

std::string orders_text(const ShopResult& result) {
  const OrderSums& sums = result.ordered;
  std::string text = format("\nOrders: %u keys, %u requests sent again, %u placed for ", sums.keys,
                            sums.sent_again, sums.placed);
  text += money_text(sums.total_minor) + " GBP, " +
          format("%u refused, %u open. ", sums.refused, sums.open);
  text += result.money_checked ? "Stock, credit and orders were checked, at the functions and in "
                                 "Redis.\n"
                               : "Stock and orders were checked, at the functions and in Redis; "
                                 "no payment is deployed.\n";
  for (const std::string& difference : result.differences) text += "- " + difference + "\n";
  return text;
}

std::string header_text(const ShopResult& result) {
  const ShopOptions& options = result.options;
  const auto seed = static_cast<unsigned long long>(result.seed);
  if (options.mode == Mode::kLatency) {
    return format("latency: %u rounds, seed %llu; %u empty sandboxes kept\n\n", options.rounds,
                  seed, options.pool_size);
  }
  return format("%s: %u a second for %g s, seed %llu; %s; %u empty sandboxes kept\n\n",
                mode_name(options.mode), options.per_second,
                std::chrono::duration<double>(options.time).count(), seed,
                options.mode == Mode::kOriginal ? "from zero pods" : "pods were there before",
                options.pool_size);
}

}  // namespace

const std::vector<ShopKind>& ShopResult::kinds() const {
  return options.mode == Mode::kOriginal ? kOriginalKinds : kMixKinds;
}

std::uint32_t ShopResult::failures() const {
  return load.sent + load.unsent - answered_2xx(load) - in_flight + wrong;
}

std::uint32_t ShopResult::errors() const {
  return failures() + static_cast<std::uint32_t>(differences.size());
}

Ratio ShopResult::order_ratio() const {
  return ratio_of_medians(order, empty, seed);
}

Ratio ShopResult::order_synced_ratio() const {
  return ratio_of_medians(order_synced, empty, seed);
}

Ratio ShopResult::page_ratio() const {
  return ratio_of_medians(page, start, seed);
}

bool promises_kept(const ShopResult& result) {
  for (const Promise& promise : promises_of(result)) {
    if (!promise.met) return false;
  }
  return true;
}

Json to_json(const ShopResult& result, const Machine& machine, const std::string& command) {
  const ShopOptions& options = result.options;
  Json json = {{"benchmark", "shop"},
               {"mode", mode_name(options.mode)},
               {"command", command},
               {"machine", to_json(machine)},
               {"seed", result.seed},
               {"emptySandboxes", options.pool_size},
               {"interrupted", result.interrupted},
               {"errors", result.errors()},
               {"failures", result.failures()}};
  if (options.mode == Mode::kLatency) {
    json["rounds"] = options.rounds;
    json.update(latency_json(result));
    if (result.wrong > 0) json["firstWrong"] = result.first_wrong;
  } else {
    json["perSecond"] = options.per_second;
    json["seconds"] = std::chrono::duration<double>(options.time).count();
    json["kinds"] = kinds_json(result);
  }
  json["measures"] = measures_json(shop_measures(result));
  json["orders"] = orders_json(result.ordered);
  json["moneyChecked"] = result.money_checked;
  json["differences"] = result.differences;
  json["targets"] = Json::array();
  for (const Promise& promise : promises_of(result)) {
    json["targets"].push_back({{"what", promise.words},
                               {promise.limit_name, promise.limit},
                               {promise.figure_name, promise.figure},
                               {"met", promise.met}});
  }
  return json;
}

std::string to_text(const ShopResult& result, const Machine& machine, const std::string& command) {
  std::string text = words(machine) + "\n" + command + "\n" + header_text(result);
  text += result.options.mode == Mode::kLatency ? latency_text(result) : load_text(result);
  text += orders_text(result);
  if (result.interrupted) text += "\nInterrupted: this is what there was until then.\n";
  text += "\n";
  for (const Promise& promise : promises_of(result)) {
    text +=
        "- " + promise.words + format(": %g, %s\n", promise.figure, promise.met ? "met" : "MISSED");
  }
  return text;
}

}  // namespace subito::bench
