#include "runtime/traces/otlp.h"

#include <algorithm>
#include <map>

#include "runtime/traces/otlp.pb.h"

namespace subito::traces {
namespace {

std::string big_endian(std::uint64_t value) {
  std::string bytes(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (8 * (7 - i)));
  return bytes;
}

// A `string` of Protobuf that is not UTF-8 makes the whole message malformed.
std::string ascii(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

void set_value(otlp::AnyValue& out, const AttributeValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    out.set_string_value(ascii(*text));
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    out.set_int_value(*number);
  } else {
    out.set_bool_value(std::get<bool>(value));
  }
}

void add_text(otlp::Resource& resource, const char* key, const std::string& value) {
  otlp::KeyValue& attribute = *resource.add_attributes();
  attribute.set_key(key);
  attribute.mutable_value()->set_string_value(ascii(value));
}

void write(const Span& span, otlp::Span& out) {
  constexpr int kError = 2;
  out.set_trace_id(big_endian(span.trace.high) + big_endian(span.trace.low));
  out.set_span_id(big_endian(span.id));
  if (span.parent != 0) out.set_parent_span_id(big_endian(span.parent));
  out.set_trace_state(ascii(span.tracestate));
  out.set_name(ascii(span.name));
  out.set_kind(static_cast<int>(span.kind));
  out.set_start_time_unix_nano(static_cast<std::uint64_t>(span.start_unix_ns));
  out.set_end_time_unix_nano(static_cast<std::uint64_t>(span.end_unix_ns));
  out.set_flags(1);  // only sampled ones come here
  for (const auto& [key, value] : span.attributes) {
    otlp::KeyValue& attribute = *out.add_attributes();
    attribute.set_key(key);
    set_value(*attribute.mutable_value(), value);
  }
  if (!span.failed) return;
  out.mutable_status()->set_code(kError);
  out.mutable_status()->set_message(ascii(span.failure));
}

}  // namespace

std::string otlp_request(const std::vector<Span>& spans, const Sender& sender) {
  otlp::ExportTraceServiceRequest request;
  std::map<std::string, otlp::ScopeSpans*> services;
  for (const Span& span : spans) {
    otlp::ScopeSpans*& service = services[span.service];
    if (service == nullptr) {
      otlp::ResourceSpans& all = *request.add_resource_spans();
      add_text(*all.mutable_resource(), "service.name", span.service);
      add_text(*all.mutable_resource(), "service.instance.id", sender.instance);
      service = all.add_scope_spans();
      service->mutable_scope()->set_name("subito");
      service->mutable_scope()->set_version(sender.version);
    }
    write(span, *service->add_spans());
  }
  return request.SerializeAsString();
}

std::uint64_t rejected_spans(std::string_view response) {
  otlp::ExportTraceServiceResponse read;
  if (!read.ParseFromArray(response.data(), static_cast<int>(response.size()))) return 0;
  return static_cast<std::uint64_t>(
      std::max<std::int64_t>(0, read.partial_success().rejected_spans()));
}

}  // namespace subito::traces
