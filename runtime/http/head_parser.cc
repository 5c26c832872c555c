#include "runtime/http/head_parser.h"

#include "runtime/http/characters.h"

namespace subito::http {
namespace {

constexpr std::size_t kFieldsExpected = 8;     // one allocation for a usual head
constexpr std::size_t kTargetKeptBytes = 256;  // by an idle connection that once had a long one
constexpr int kSkipBody = 1;                   // to llhttp: bodies are BodyDecoder's

Rejection rejection_of(const llhttp_t& parser) {
  switch (llhttp_get_errno(&parser)) {
    // The gate has seen a token: a method, but none that anybody here knows.
    case HPE_INVALID_METHOD:
    case HPE_INVALID_CONSTANT:  // a method of RTSP
      return {501, "unknown method"};
    case HPE_INVALID_VERSION:
    case HPE_PAUSED_H2_UPGRADE:
      return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
    case HPE_INVALID_URL:
      return {400, "invalid request target"};
    case HPE_INVALID_CONTENT_LENGTH:
    case HPE_UNEXPECTED_CONTENT_LENGTH:
      return {400, "ambiguous or malformed content-length"};
    case HPE_INVALID_TRANSFER_ENCODING:
      return {400, "transfer-encoding other than chunked"};
    default:
      return {400, "malformed head"};
  }
}

}  // namespace

struct HeadParser::Callbacks {
  static HeadParser& self(llhttp_t* parser) { return *static_cast<HeadParser*>(parser->data); }

  static int on_url(llhttp_t* parser, const char* at, std::size_t size) {
    self(parser).target_.append(at, size);
    return 0;
  }
  static int on_name(llhttp_t* parser, const char* at, std::size_t size) {
    HeadParser& me = self(parser);
    if (!me.in_name_) me.fields_.emplace_back();
    me.in_name_ = true;
    std::string& name = me.fields_.back().first;
    for (std::size_t i = 0; i < size; ++i) name.push_back(to_lower(at[i]));
    return 0;
  }
  static int on_name_end(llhttp_t* parser) {
    self(parser).in_name_ = false;
    return 0;
  }
  static int on_value(llhttp_t* parser, const char* at, std::size_t size) {
    self(parser).fields_.back().second.append(at, size);
    return 0;
  }
  static int on_end(llhttp_t* parser) {
    self(parser).complete_ = true;
    return kSkipBody;
  }

  static const llhttp_settings_t& settings() {
    static const llhttp_settings_t made = [] {
      llhttp_settings_t s;
      llhttp_settings_init(&s);
      s.on_url = on_url;
      s.on_header_field = on_name;
      s.on_header_field_complete = on_name_end;
      s.on_header_value = on_value;
      s.on_headers_complete = on_end;
      return s;
    }();
    return made;
  }
};

HeadParser::HeadParser(Kind kind, const ParserLimits& limits)
    : kind_(kind),
      gate_(kind == Kind::kRequest ? HeadGate::Kind::kRequest : HeadGate::Kind::kResponse, limits) {
  reset();
}

void HeadParser::reset() {
  gate_.reset();
  llhttp_init(&llhttp_, kind_ == Kind::kRequest ? HTTP_REQUEST : HTTP_RESPONSE,
              &Callbacks::settings());
  target_.clear();
  if (target_.capacity() > kTargetKeptBytes) target_.shrink_to_fit();
  fields_.clear();
  in_name_ = complete_ = false;
  rejection_ = {};
}

// What the gate has passed goes to llhttp even when the next byte is refused, so that the first
// wrong byte decides, however the input is cut.
Event HeadParser::next(std::string_view& input) {
  const HeadGate::Scan scan = gate_.scan(input);
  if (!run(input.substr(0, scan.good))) return reject(rejection_of(llhttp_));
  if (scan.rejection.status != 0) return reject(scan.rejection);
  input.remove_prefix(scan.good);
  // Both must see the same end: to disagree is to be ambiguous.
  if (scan.complete != complete_) return reject({400, "malformed head"});
  if (!complete_) return Event::kMore;
  for (auto& [name, value] : fields_) {
    if (const std::string_view trimmed = trim(value); trimmed.size() != value.size()) {
      value = std::string(trimmed);
    }
  }
  return Event::kHead;
}

bool HeadParser::run(std::string_view bytes) {
  if (bytes.empty()) return true;
  if (fields_.capacity() == 0) fields_.reserve(kFieldsExpected);
  llhttp_.data = this;
  const llhttp_errno_t error = llhttp_execute(&llhttp_, bytes.data(), bytes.size());
  // Behind the head llhttp may still complain: about a body that it does not get to see.
  return error == HPE_OK || complete_;
}

std::string_view HeadParser::method() const {
  return llhttp_method_name(static_cast<llhttp_method_t>(llhttp_.method));
}

Event HeadParser::reject(const Rejection& rejection) {
  rejection_ = rejection;
  return Event::kRejected;
}

}  // namespace subito::http
