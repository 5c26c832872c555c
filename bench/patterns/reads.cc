#include "bench/patterns/reads.h"

#include <algorithm>

#include "bench/kit/percentiles.h"
#include "bench/kit/process_tree.h"
#include "bench/patterns/memory.h"
#include "bench/suites/warm_report.h"

namespace subito::bench {

namespace {

constexpr const char* kProducts = "/products";
constexpr const char* kAgain = "again";  // the reference, against itself
constexpr int kFirstAsks = 3;            // until it is warm: the first page may be degraded

double slice_p50_us(const Slice& slice) {
  return latency_us(slice, 0.5);
}

void add_positive(Book& book, const std::string& pattern, const Metric& metric, double sample) {
  if (sample > 0) book.add(pattern, metric, sample);
}

void book_closed(Book& book, const std::string& pattern, const Slice& slice) {
  add_positive(book, pattern, metric::kThroughput, answers_per_second(slice));
  add_positive(book, pattern, metric::kCpu, cpu_us(slice));
}

void book_open(Book& book, const std::string& pattern, const Slice& slice) {
  add_positive(book, pattern, metric::kP50, slice_p50_us(slice));
}

void book_p99(Book& book, const std::string& pattern, const TrafficResult& traffic) {
  if (const auto p99 = percentile_us(traffic, 0.99)) book.add(pattern, metric::kP99, *p99);
}

double off(const Spread& ratio) {
  if (ratio.median <= 0) return 1;
  return std::max(ratio.most, 1 / ratio.least);
}

void book_ratios(Book& book, const Series& series, const Metric& metric,
                 const SliceFigure& figure) {
  for (const Pair& pair : series.pairs) {
    const double above = figure(pair.subject);
    const double below = figure(pair.reference);
    if (above > 0 && below > 0) book.add(series.name, metric, above / below);
  }
}

struct Loop {
  double per_second = 0;  // 0: closed
  bool open() const { return per_second > 0; }
};

void book_loop(Book& book, const Loop& loop, const PairRun& run, ReadRun& result) {
  for (const Series& series : run.series) {
    for (const Pair& pair : series.pairs) {
      const auto take = loop.open() ? book_open : book_closed;
      take(book, result.reference, pair.reference);
      if (series.name != kAgain) take(book, series.name, pair.subject);
    }
    const SliceFigure figure = loop.open() ? SliceFigure(slice_p50_us) : answers_per_second;
    if (series.name == kAgain) {
      result.noise = std::max(result.noise, off(ratio_spread(series, figure)));
      continue;
    }
    book_ratios(book, series, loop.open() ? metric::kP50Ratio : metric::kThroughputRatio, figure);
    if (loop.open()) {
      book_p99(book, series.name, series.traffic());
    } else {
      book_ratios(book, series, metric::kCpuRatio, cpu_us);
    }
  }
  if (loop.open()) book_p99(book, result.reference, run.reference);
  result.errors += run.errors();
  if (result.first_error.empty()) result.first_error = run.first_error();
  result.interrupted = result.interrupted || run.interrupted;
}

Result<Subject> subject_of(const Running& running, const std::string& name, const ReadPlan& plan,
                           const Loop& loop, Book& book) {
  ASSIGN_OR_RETURN(const Traffic traffic, reads_of(running, plan.connections, loop.per_second));
  return Subject{name, [&running, &book, traffic, loop](std::chrono::nanoseconds time) {
                   std::uint64_t bytes = 0;
                   auto slice = read_slice(running, traffic, time, loop.open() ? nullptr : &bytes);
                   if (bytes > 0) {
                     book.add(running.kind().name, metric::kLoadMemory,
                              static_cast<double>(bytes) / 1e6);
                   }
                   return slice;
                 }};
}

const Running& reference_of(const std::vector<const Running*>& all) {
  const auto found = std::find_if(all.begin(), all.end(), [](const Running* running) {
    return std::string_view(running->kind().name) == kReference;
  });
  return found == all.end() ? *all.front() : **found;
}

}  // namespace

std::optional<double> percentile_us(const TrafficResult& traffic, double fraction) {
  if (!enough_for(fraction, traffic.latency.count())) return std::nullopt;
  return static_cast<double>(traffic.latency.percentile(fraction)) / 1e3;
}

Result<Traffic> reads_of(const Running& running, std::uint32_t connections, double per_second) {
  ASSIGN_OR_RETURN(const NetworkStay stay, NetworkStay::enter(running.network()));
  ASSIGN_OR_RETURN(HttpClient client, HttpClient::connect(running.shop()));
  Traffic traffic;
  traffic.server = running.shop();
  traffic.request.path = kProducts;
  traffic.connections = connections;
  traffic.per_second = per_second;
  for (int asked = 0; asked < kFirstAsks; ++asked) {
    ASSIGN_OR_RETURN(HttpReply reply, client.call("GET", kProducts));
    if (reply.status != 200) {
      return fail(ErrorCode::kProtocol, std::string("GET /products of ") + running.kind().name +
                                            ": status " + std::to_string(reply.status));
    }
    traffic.expected.body = std::move(reply.body);
  }
  return traffic;
}

Result<Slice> read_slice(const Running& running, const Traffic& traffic,
                         std::chrono::nanoseconds time, std::uint64_t* load_bytes) {
  ASSIGN_OR_RETURN(const NetworkStay stay, NetworkStay::enter(running.network()));
  ASSIGN_OR_RETURN(Generator generator, Generator::open(traffic));
  const std::vector<pid_t> roots = running.roots();
  const CpuMeter meter(roots);
  Slice slice;
  slice.traffic = generator.run(time);
  const CpuUse use = meter.used();
  slice.cpu = use.time;
  slice.ended = use.ended;
  if (load_bytes != nullptr) *load_bytes = memory_of(roots);
  return slice;
}

Result<ReadRun> measure_reads(const std::vector<const Running*>& all, const ReadPlan& plan,
                              Book& book, const PairProgress& progress) {
  const Running& reference = reference_of(all);
  ReadRun result;
  result.reference = reference.kind().name;
  for (const Loop& loop : {Loop{}, Loop{plan.per_second}}) {
    if (result.errors > 0 || result.interrupted) break;
    ASSIGN_OR_RETURN(const Subject base, subject_of(reference, result.reference, plan, loop, book));
    std::vector<Subject> subjects;
    ASSIGN_OR_RETURN(Subject again, subject_of(reference, kAgain, plan, loop, book));
    subjects.push_back(std::move(again));
    for (const Running* running : all) {
      if (running == &reference) continue;
      ASSIGN_OR_RETURN(Subject one, subject_of(*running, running->kind().name, plan, loop, book));
      subjects.push_back(std::move(one));
    }
    ASSIGN_OR_RETURN(const PairRun run, run_pairs(base, subjects, plan.pairs, progress));
    book_loop(book, loop, run, result);
  }
  return result;
}

Result<ReadRun> measure_reads_alone(const Running& running, const ReadPlan& plan, Book& book) {
  ReadRun result;
  result.reference = running.kind().name;
  for (std::uint32_t round = 0; round < plan.pairs.rounds && !result.interrupted; ++round) {
    ASSIGN_OR_RETURN(const Subject subject,
                     subject_of(running, result.reference, plan, Loop{}, book));
    ASSIGN_OR_RETURN(const Slice slice, subject.run(plan.pairs.slice));
    book_closed(book, result.reference, slice);
    result.errors += slice.traffic.errors;
    if (result.first_error.empty()) result.first_error = slice.traffic.first_error;
    result.interrupted = slice.traffic.interrupted;
    if (result.errors > 0) break;
  }
  return result;
}

}  // namespace subito::bench
