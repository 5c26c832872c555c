#include "runtime/protocol/frame.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#include "runtime/base/check.h"

namespace subito::protocol {
namespace {

// Small at first: a pod that answers one short request touches one page of it.
constexpr std::size_t kBufferBytesMin = 4 << 10;

void put16(char* out, std::uint16_t value) {
  out[0] = static_cast<char>(value & 0xff);
  out[1] = static_cast<char>(value >> 8);
}

void put32(char* out, std::uint32_t value) {
  put16(out, static_cast<std::uint16_t>(value & 0xffff));
  put16(out + 2, static_cast<std::uint16_t>(value >> 16));
}

std::uint16_t get16(const char* in) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(in[0]) |
                                    static_cast<unsigned char>(in[1]) << 8);
}

std::uint32_t get32(const char* in) {
  return get16(in) | static_cast<std::uint32_t>(get16(in + 2)) << 16;
}

bool belongs_to_channel(FrameType type) {
  return type == FrameType::kHello || type == FrameType::kConfig || type == FrameType::kLog ||
         type == FrameType::kDrain;
}

bool never_ends(FrameType type) {
  return belongs_to_channel(type) || type == FrameType::kWindow || type == FrameType::kCancel;
}

bool always_ends(FrameType type) {
  return type == FrameType::kConnect || type == FrameType::kConnected;
}

bool may_have_body(FrameType type) {
  return type == FrameType::kInvoke || type == FrameType::kBody || type == FrameType::kResult ||
         type == FrameType::kCall;
}

std::string fault_of_lengths(const FrameHeader& header, const std::string& name) {
  const auto over = [&](const char* part, std::uint32_t bytes) {
    return name + part + std::to_string(bytes) + " bytes is over the limit";
  };
  if (header.head_bytes > kHeadBytesMax) return over(" head of ", header.head_bytes);
  if (header.body_bytes > kBodyBytesMax) return over(" body of ", header.body_bytes);
  if (header.body_bytes != 0 && !may_have_body(header.type)) return name + " with a body";
  if (header.type == FrameType::kBody && header.head_bytes != 0) return "BODY with a head";
  return {};
}

// What a header must be apart from the state of its stream. Empty: it is fine.
std::string fault_of(const FrameHeader& header) {
  const std::string name(to_string(header.type));
  if ((header.flags & ~kFlagEnd) != 0) return "unknown flags in " + name;
  if (auto fault = fault_of_lengths(header, name); !fault.empty()) return fault;
  const bool channel = belongs_to_channel(header.type);
  if (channel && header.stream != 0) return name + " on stream " + std::to_string(header.stream);
  if (!channel && header.stream == 0) return name + " without a stream";
  if (header.end() && never_ends(header.type)) return name + " with END";
  if (!header.end() && always_ends(header.type)) return name + " without END";
  return {};
}

Error breach(std::string reason) {
  return Error{ErrorCode::kProtocol, "read frame: " + std::move(reason), 0};
}

char* append_header(std::string& out, const FrameHeader& header) {
  const std::size_t at = out.size();
  out.resize(at + kHeaderBytes + header.head_bytes + header.body_bytes);
  const auto bytes = encode(header);
  std::memcpy(out.data() + at, bytes.data(), bytes.size());
  return out.data() + at + kHeaderBytes;
}

FrameHeader header_of(FrameType type, std::uint32_t stream, std::size_t head_bytes,
                      std::string_view body, bool end) {
  CHECK(body.size() <= kBodyBytesMax);
  FrameHeader header;
  header.type = type;
  header.flags = end ? kFlagEnd : 0;
  header.stream = stream;
  header.head_bytes = static_cast<std::uint32_t>(head_bytes);
  header.body_bytes = static_cast<std::uint32_t>(body.size());
  return header;
}

}  // namespace

std::string_view to_string(FrameType type) {
  static constexpr std::array<std::string_view, 13> kNames = {
      "UNKNOWN", "HELLO",     "CONFIG", "INVOKE", "BODY", "RESULT", "CALL",
      "CONNECT", "CONNECTED", "WINDOW", "CANCEL", "LOG",  "DRAIN"};
  const auto number = static_cast<std::size_t>(type);
  return number < kNames.size() ? kNames[number] : kNames[0];
}

std::array<char, kHeaderBytes> encode(const FrameHeader& header) {
  std::array<char, kHeaderBytes> out;
  out[0] = kVersion;
  out[1] = static_cast<char>(header.type);
  put16(&out[2], header.flags);
  put32(&out[4], header.stream);
  put32(&out[8], header.head_bytes);
  put32(&out[12], header.body_bytes);
  return out;
}

Result<FrameHeader> decode(std::span<const char, kHeaderBytes> bytes) {
  const auto version = static_cast<unsigned char>(bytes[0]);
  const auto type = static_cast<unsigned char>(bytes[1]);
  if (version != kVersion) return breach("version " + std::to_string(version) + " is not known");
  if (type < 1 || type > static_cast<unsigned char>(FrameType::kDrain)) {
    return breach("type " + std::to_string(type) + " is not known");
  }
  FrameHeader header;
  header.type = static_cast<FrameType>(type);
  header.flags = get16(&bytes[2]);
  header.stream = get32(&bytes[4]);
  header.head_bytes = get32(&bytes[8]);
  header.body_bytes = get32(&bytes[12]);
  if (auto fault = fault_of(header); !fault.empty()) return breach(std::move(fault));
  return header;
}

void FrameParser::Free::operator()(char* bytes) const {
  std::free(bytes);
}

std::span<char> FrameParser::prepare(std::size_t bytes_min) {
  if (begin_ == end_) begin_ = end_ = 0;
  if (capacity_ - end_ < bytes_min && begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (capacity_ - end_ < bytes_min) {
    const std::size_t wanted = std::max({kBufferBytesMin, capacity_ * 2, end_ + bytes_min});
    char* grown = static_cast<char*>(std::realloc(buffer_.get(), wanted));
    if (grown == nullptr) throw std::bad_alloc();
    static_cast<void>(buffer_.release());  // realloc has freed or kept it
    buffer_.reset(grown);
    capacity_ = wanted;
  }
  return {buffer_.get() + end_, capacity_ - end_};
}

void FrameParser::commit(std::size_t bytes) {
  CHECK(bytes <= capacity_ - end_);
  end_ += bytes;
}

void FrameParser::feed(std::string_view bytes) {
  if (bytes.empty()) return;
  std::memcpy(prepare(bytes.size()).data(), bytes.data(), bytes.size());
  commit(bytes.size());
}

Result<std::optional<Frame>> FrameParser::next() {
  if (error_) return *error_;
  if (end_ - begin_ < kHeaderBytes) return std::optional<Frame>();
  const char* at = buffer_.get() + begin_;
  auto header = decode(std::span<const char, kHeaderBytes>(at, kHeaderBytes));
  if (!header) {
    error_ = header.error();
    return *error_;
  }
  const std::size_t total = kHeaderBytes + header->head_bytes + header->body_bytes;
  if (end_ - begin_ < total) return std::optional<Frame>();
  begin_ += total;
  Frame frame;
  frame.header = *header;
  frame.head = {at + kHeaderBytes, header->head_bytes};
  frame.body = {at + kHeaderBytes + header->head_bytes, header->body_bytes};
  return std::optional<Frame>(frame);
}

Status parse_head(const Frame& frame, google::protobuf::MessageLite& message) {
  if (message.ParseFromArray(frame.head.data(), static_cast<int>(frame.head.size()))) return ok();
  return fail(ErrorCode::kProtocol,
              "read " + std::string(to_string(frame.header.type)) + " head: it is malformed");
}

Status append_frame(std::string& out, FrameType type, std::uint32_t stream,
                    const google::protobuf::MessageLite& head, std::string_view body, bool end) {
  const std::size_t head_bytes = head.ByteSizeLong();
  if (head_bytes > kHeadBytesMax) {
    return fail(ErrorCode::kResourceExhausted,
                "write " + std::string(to_string(type)) + " head: " + std::to_string(head_bytes) +
                    " bytes are over the limit of " + std::to_string(kHeadBytesMax));
  }
  char* at = append_header(out, header_of(type, stream, head_bytes, body, end));
  auto* head_at = reinterpret_cast<std::uint8_t*>(at);
  head.SerializeWithCachedSizesToArray(head_at);
  if (!body.empty()) std::memcpy(at + head_bytes, body.data(), body.size());
  return ok();
}

void append_frame(std::string& out, FrameType type, std::uint32_t stream, std::string_view body,
                  bool end) {
  char* at = append_header(out, header_of(type, stream, 0, body, end));
  if (!body.empty()) std::memcpy(at, body.data(), body.size());
}

}  // namespace subito::protocol
