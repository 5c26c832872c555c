#include "runtime/http/writer.h"

#include <charconv>
#include <ctime>

#include "runtime/http/characters.h"
#include "runtime/http/field_values.h"

namespace subito::http {
namespace {

void append_number(std::string& out, std::uint64_t number, int base = 10) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base);
  out.append(digits.data(), static_cast<std::size_t>(end.ptr - digits.data()));
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

Status check_fields(const Fields& fields) {
  for (const auto& [name, value] : fields) {
    if (name.empty() || !all_are(kTokenChar, name)) {
      return fail(ErrorCode::kInvalidArgument, "write head: invalid field name");
    }
    if (!all_are(kValueChar, value)) {
      return fail(ErrorCode::kInvalidArgument, "write head: invalid byte in field " + name);
    }
  }
  return ok();
}

// Fields of a handler come in lower case by agreement, but it may not keep to it.
bool is_ours(std::string_view name) {
  constexpr std::size_t kLongest = sizeof("transfer-encoding") - 1;
  if (name.size() > kLongest) return equal_ignoring_case(name.substr(0, 6), "proxy-");
  std::array<char, kLongest> lower;
  for (std::size_t i = 0; i < name.size(); ++i) lower[i] = to_lower(name[i]);
  const std::string_view key(lower.data(), name.size());
  if (key == "proxy-status") return false;  // RFC 9209: for the client, however far it is
  return is_connection_field(key) || key == "date" || key == "server";
}

void append_framing(std::string& out, const ResponseHead& head, Framing framing) {
  if (framing == Framing::kChunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  } else if (framing == Framing::kLength) {
    out.append("Content-Length: ");
    append_number(out, head.content_length.value_or(0));
    out.append("\r\n");
  }
}

void append_connection(std::string& out, const ResponseOptions& options) {
  if (!options.keep_alive) {
    out.append("Connection: close\r\n");
  } else if (options.minor_version == 0) {
    out.append("Connection: keep-alive\r\n");
  }
}

void append_status_line(std::string& out, int status) {
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(status));
  out.append(" ").append(reason_phrase(status)).append("\r\n");
}

}  // namespace

Status append_response_head(std::string& out, const ResponseHead& head,
                            const ResponseOptions& options) {
  if (head.status < 200 || head.status > 599) {
    return fail(ErrorCode::kInvalidArgument, "write head: status out of range");
  }
  RETURN_IF_ERROR(check_fields(head.fields));
  append_status_line(out, head.status);
  if (!options.server.empty()) append_field(out, "Server", options.server);
  if (!options.date.empty()) append_field(out, "Date", options.date);
  append_connection(out, options);
  append_framing(out, head, options.framing);
  for (const auto& [name, value] : head.fields) {
    if (!is_ours(name)) append_field(out, name, value);
  }
  out.append("\r\n");
  return ok();
}

Status append_request_head(std::string& out, const RequestHead& head) {
  if (head.method.empty() || !all_are(kTokenChar, head.method)) {
    return fail(ErrorCode::kInvalidArgument, "write head: invalid method");
  }
  if (head.path.empty() || !all_are(kTargetChar, head.path) || !all_are(kTargetChar, head.query)) {
    return fail(ErrorCode::kInvalidArgument, "write head: invalid target");
  }
  if (!all_are(kValueChar, head.host)) {
    return fail(ErrorCode::kInvalidArgument, "write head: invalid host");
  }
  RETURN_IF_ERROR(check_fields(head.fields));
  out.append(head.method).append(" ").append(head.path);
  if (!head.query.empty()) out.append("?").append(head.query);
  out.append(" HTTP/1.1\r\n");
  append_field(out, "Host", head.host);
  if (head.chunked) {
    out.append("Transfer-Encoding: chunked\r\n");
  } else if (head.content_length) {
    out.append("Content-Length: ");
    append_number(out, *head.content_length);
    out.append("\r\n");
  }
  for (const auto& [name, value] : head.fields) {
    if (!is_connection_field(name) && name != "host") append_field(out, name, value);
  }
  out.append("\r\n");
  return ok();
}

void append_chunk(std::string& out, std::string_view bytes) {
  if (bytes.empty()) return;
  append_number(out, bytes.size(), 16);
  out.append("\r\n").append(bytes).append("\r\n");
}

void append_last_chunk(std::string& out) {
  out.append("0\r\n\r\n");
}

std::string_view DateCache::at(std::int64_t unix_seconds) {
  if (unix_seconds != seconds_) {
    seconds_ = unix_seconds;
    const time_t time = unix_seconds;
    tm utc{};
    gmtime_r(&time, &utc);
    // The C locale's names, which nobody here changes.
    std::strftime(text_.data(), text_.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  }
  return {text_.data(), text_.size() - 1};
}

}  // namespace subito::http
