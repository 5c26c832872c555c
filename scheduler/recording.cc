#include "scheduler/recording.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "scheduler/digest.h"

namespace subito::scheduler {
namespace {

constexpr std::string_view kMagic = "subito recording 4\n";
constexpr std::size_t kPayloadMax = 1 << 20;  // a pod that exits with 100,000 invocations
constexpr std::size_t kDigestSize = 8;
constexpr std::size_t kChecksumSize = 4;

std::uint32_t checksum(std::string_view payload) {
  std::uint32_t sum = 2166136261u;
  for (const char c : payload) sum = (sum ^ static_cast<unsigned char>(c)) * 16777619u;
  return sum;
}

void put_little_endian(std::uint64_t value, std::size_t size, std::string& out) {
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

std::uint64_t get_little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

void put_varint(std::uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

// Takes one off the front; nothing: cut off, or longer than 64 bits.
std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (i == 9 && byte > 1) return std::nullopt;
    value |= std::uint64_t{byte & 0x7Fu} << (7 * i);
    if (byte < 0x80) {
      bytes.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

std::uint64_t zigzag(std::uint64_t difference) {
  return difference << 1 ^ (0 - (difference >> 63));
}

std::uint64_t unzigzag(std::uint64_t value) {
  return value >> 1 ^ (0 - (value & 1));
}

// The fields of a record, in order: the same list writes and reads, with a Writer or a Reader.
template <typename Codec>
class Fields {
 public:
  explicit Fields(Codec& codec) : codec_(codec) {}

  void operator()(NodeLimits& it) {
    all(it.pods_max, it.starting_max, it.waiting_max, it.in_flight_max, it.pod_dispatches_max,
        it.cores);
  }
  void operator()(FunctionLimits& it) {
    all(it.pods_min, it.pods_max, it.concurrency, it.queue_limit, it.queue_timeout, it.idle_timeout,
        it.start_timeout, it.drain_timeout, it.cancel_grace, it.start_prior, it.weight,
        it.in_flight_max, it.height, it.memory_bytes, it.cpu_millicores, it.tenant);
    (*this)(it.policy);
  }
  void operator()(autoscaler::PolicyOptions& it) {
    codec_.choice(it.kind, autoscaler::kPolicyKinds.back());
    autoscaler::ConcurrencyOptions& knative = it.concurrency;
    all(knative.stable_window, knative.to_zero_grace, knative.scale_down_delay, knative.target,
        knative.utilization_percent, knative.panic_window_percent, knative.panic_threshold_percent,
        knative.max_scale_up_rate, knative.max_scale_down_rate, knative.initial_scale,
        knative.activation_scale, knative.burst_capacity);
  }
  void operator()(AddFunction& it) { function(it); }
  void operator()(UpdateFunction& it) { function(it); }
  void operator()(RemoveFunction& it) { all(it.function); }
  void operator()(Scale& it) { all(it.function, it.pods_min, it.pods_max); }
  void operator()(SetQuota& it) {
    all(it.tenant, it.quota.pods_max, it.quota.cpu_millicores_max, it.quota.memory_bytes_max);
  }
  void operator()(Arrive& it) {
    all(it.arrival.invocation, it.arrival.function, it.arrival.deadline, it.arrival.nested);
  }
  void operator()(Completed& it) { all(it.invocation, it.use.cpu, it.use.waited, it.use.handler); }
  void operator()(Cancelled& it) { all(it.invocation); }
  void operator()(PodReady& it) { all(it.pod, it.ahead); }
  void operator()(PodExited& it) {
    all(it.pod);
    codec_.choice(it.kind, ExitKind::kOutOfMemory);
    codec_.list(it.again);
  }
  void operator()(GivenBack& it) { all(it.invocation); }
  void operator()(Expire&) {}
  void operator()(Close&) {}

 private:
  template <typename... Values>
  void all(Values&... values) {
    (codec_.value(values), ...);
  }
  template <typename Function>
  void function(Function& it) {
    all(it.function, it.revision);
    (*this)(it.limits);
  }

  Codec& codec_;
};

class Writer {
 public:
  Writer(TimePoint latest, std::string& out) : latest_(latest), out_(out) {}

  void value(std::uint32_t number) { put_varint(number, out_); }
  void value(std::uint64_t number) { put_varint(number, out_); }
  void value(std::int32_t number) {
    put_varint(zigzag(static_cast<std::uint64_t>(std::int64_t{number})), out_);
  }
  void value(bool yes) { put_varint(yes ? 1 : 0, out_); }
  void value(Duration duration) { put_varint(static_cast<std::uint64_t>(duration.count()), out_); }
  void value(TimePoint at) {
    const auto since = static_cast<std::uint64_t>(at.time_since_epoch().count());
    const auto base = static_cast<std::uint64_t>(latest_.time_since_epoch().count());
    put_varint(zigzag(since - base), out_);
  }
  void value(const std::optional<std::uint32_t>& number) {
    out_.push_back(number ? 1 : 0);
    if (number) value(*number);
  }
  template <typename Tag>
  void value(Id<Tag> id) {
    put_varint(id.value(), out_);
  }
  template <typename Enum>
  void choice(Enum it, Enum) {
    put_varint(static_cast<std::uint64_t>(it), out_);
  }
  void list(const std::vector<InvocationId>& ids) {
    put_varint(ids.size(), out_);
    for (const InvocationId id : ids) value(id);
  }

 private:
  TimePoint latest_;
  std::string& out_;
};

class Reader {
 public:
  Reader(TimePoint latest, std::string_view bytes) : latest_(latest), bytes_(bytes) {}

  bool failed() const { return failed_; }
  std::string_view rest() const { return bytes_; }

  std::uint64_t number(std::uint64_t max) {
    const std::optional<std::uint64_t> taken = take_varint(bytes_);
    failed_ = failed_ || !taken || *taken > max;
    return failed_ ? 0 : *taken;
  }
  void value(std::uint32_t& out) { out = static_cast<std::uint32_t>(number(UINT32_MAX)); }
  void value(std::uint64_t& out) { out = number(UINT64_MAX); }
  void value(std::int32_t& out) { out = static_cast<std::int32_t>(unzigzag(number(UINT32_MAX))); }
  void value(bool& out) { out = number(1) == 1; }
  void value(Duration& out) { out = Duration(static_cast<std::int64_t>(number(INT64_MAX))); }
  void value(TimePoint& out) {
    const auto base = static_cast<std::uint64_t>(latest_.time_since_epoch().count());
    const std::uint64_t since = base + unzigzag(number(UINT64_MAX));
    failed_ = failed_ || since > INT64_MAX;
    if (!failed_) out = TimePoint(Duration(static_cast<std::int64_t>(since)));
  }
  void value(std::optional<std::uint32_t>& out) {
    if (number(1) == 0) return;
    value(out.emplace());
  }
  template <typename Tag>
  void value(Id<Tag>& out) {
    out = Id<Tag>(number(UINT64_MAX));
    failed_ = failed_ || !out;
  }
  template <typename Enum>
  void choice(Enum& out, Enum last) {
    out = static_cast<Enum>(number(static_cast<std::uint64_t>(last)));
  }
  void list(std::vector<InvocationId>& out) {
    const std::uint64_t size = number(bytes_.size());  // each takes a byte at least
    for (std::uint64_t i = 0; i < size && !failed_; ++i) value(out.emplace_back());
  }

 private:
  TimePoint latest_;
  std::string_view bytes_;
  bool failed_ = false;
};

// The alternative with that index, with all its fields at their defaults.
template <std::size_t index = 0>
std::optional<Input> make_input(std::size_t wanted) {
  if constexpr (index < std::variant_size_v<Input>) {
    if (wanted == index) return Input(std::in_place_index<index>);
    return make_input<index + 1>(wanted);
  } else {
    return std::nullopt;
  }
}

void put_record(std::string_view payload, std::string& out) {
  put_varint(payload.size(), out);
  out += payload;
  put_little_endian(checksum(payload), kChecksumSize, out);
}

bool limits_are_right(const Input& input) {
  if (const auto* it = std::get_if<AddFunction>(&input)) return !fault(it->limits);
  if (const auto* it = std::get_if<UpdateFunction>(&input)) return !fault(it->limits);
  if (const auto* it = std::get_if<SetQuota>(&input)) return it->tenant < kTenantsMax;
  return true;
}

}  // namespace

RecordingWriter::RecordingWriter(const NodeLimits& limits, std::string& out) {
  out += kMagic;
  NodeLimits copy = limits;
  Writer writer(latest_, payload_);
  Fields<Writer> fields(writer);
  fields(copy);
  put_record(payload_, out);
}

void RecordingWriter::append(const Input& input, std::span<const Effect> effects,
                             std::string& out) {
  payload_.clear();
  payload_.push_back(static_cast<char>(input.index()));
  Writer(latest_, payload_).value(time_of(input));
  latest_ = time_of(input);
  Input copy = input;
  Writer writer(latest_, payload_);
  Fields<Writer> fields(writer);
  std::visit([&](auto& it) { fields(it); }, copy);
  Digest digest;
  digest.add(effects);
  put_varint(effects.size(), payload_);
  put_little_endian(digest.value(), kDigestSize, payload_);
  put_record(payload_, out);
}

Result<RecordingReader> RecordingReader::open(std::string_view bytes) {
  RecordingReader reader(bytes);
  if (!bytes.starts_with(kMagic)) {
    return reader.broken("this is no recording of `subito up --record`, or one of another version");
  }
  reader.offset_ = kMagic.size();
  ASSIGN_OR_RETURN(const std::string_view payload, reader.next_payload());
  Reader fields(TimePoint(), payload);
  Fields<Reader> read(fields);
  read(reader.limits_);
  if (fields.failed() || !fields.rest().empty() || fault(reader.limits_)) {
    return reader.broken("the limits of the node are not in order");
  }
  return reader;
}

Result<std::optional<RecordedInput>> RecordingReader::next() {
  if (offset_ == bytes_.size()) return std::optional<RecordedInput>();
  ASSIGN_OR_RETURN(const std::string_view payload, next_payload());
  std::optional<Input> input = make_input(
      payload.empty() ? std::variant_size_v<Input> : static_cast<unsigned char>(payload.front()));
  if (!input) return broken("there is no such kind of input");
  Reader time(latest_, payload.substr(1));
  time.value(latest_);
  Reader fields(latest_, time.rest());
  Fields<Reader> read(fields);
  std::visit(
      [&](auto& it) {
        it.now = latest_;
        read(it);
      },
      *input);
  RecordedInput recorded{*std::move(input), fields.number(UINT32_MAX), 0, record_};
  if (time.failed() || fields.failed() || fields.rest().size() != kDigestSize) {
    return broken("the fields of '" + std::string(name_of(recorded.input)) + "' are not in order");
  }
  if (!limits_are_right(recorded.input)) return broken("the limits of a function are not in order");
  recorded.digest = get_little_endian(fields.rest());
  return std::optional<RecordedInput>(std::move(recorded));
}

Result<std::string_view> RecordingReader::next_payload() {
  record_ = offset_;
  std::string_view rest = bytes_.substr(offset_);
  const std::optional<std::uint64_t> size = take_varint(rest);
  if (size && *size > kPayloadMax) return broken("a record is longer than 1 MiB");
  if (!size || rest.size() < *size + kChecksumSize) return broken("the file ends within a record");
  const std::string_view payload = rest.substr(0, *size);
  if (get_little_endian(rest.substr(*size, kChecksumSize)) != checksum(payload)) {
    return broken("the checksum of the record differs");
  }
  rest.remove_prefix(*size + kChecksumSize);
  offset_ = bytes_.size() - rest.size();
  return payload;
}

Error RecordingReader::broken(const std::string& reason) const {
  return Error{ErrorCode::kProtocol, "byte " + std::to_string(record_) + ": " + reason, 0};
}

}  // namespace subito::scheduler
