#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "deploy/api/curl_library.h"
#include "deploy/api/tls_errors.h"
#include "deploy/api/transport.h"
#include "runtime/base/check.h"

namespace subito::api {

namespace {

struct Cleanup {
  void operator()(CURL* curl) const { curl_library().easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_library().slist_free_all(list); }
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using Curl = std::unique_ptr<CURL, Cleanup>;
using List = std::unique_ptr<curl_slist, Cleanup>;
using File = std::unique_ptr<std::FILE, Cleanup>;

using Consumer = std::function<bool(std::string_view)>;

// What the callbacks of one transfer share. Without a consumer the body is kept.
struct Transfer {
  ClientReply reply;
  const Consumer* on_line = nullptr;
  const Consumer* on_piece = nullptr;
  std::string line;      // begun, not ended
  bool stopped = false;  // the consumer had enough
  bool too_large = false;
};

std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  std::string_view text(data, size);
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) text.remove_suffix(1);
  if (text.substr(0, 5) == "HTTP/") {  // the head of the real answer follows that of a 100
    transfer.reply.fields.clear();
    const std::size_t space = text.find(' ');
    transfer.reply.status =
        space == text.npos ? 0 : std::atoi(std::string(text.substr(space + 1, 3)).c_str());
    return size;
  }
  const std::size_t colon = text.find(':');
  if (colon == text.npos) return size;
  std::string name(text.substr(0, colon));
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  std::string_view value = text.substr(colon + 1);
  while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
  transfer.reply.fields.emplace_back(std::move(name), std::string(value));
  return size;
}

// Gives every line that is complete to on_line; false when that had enough.
bool give_lines(Transfer& transfer, std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    transfer.line += bytes.substr(0, end);
    if (transfer.line.size() > kReplyBytesMax) transfer.too_large = true;
    if (end == bytes.npos || transfer.too_large) return !transfer.too_large;
    bytes.remove_prefix(end + 1);
    const std::string line = std::move(transfer.line);
    transfer.line.clear();
    if (!(*transfer.on_line)(line)) {
      transfer.stopped = true;
      return false;
    }
  }
  return true;
}

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (transfer.on_piece != nullptr) {
    transfer.stopped = !(*transfer.on_piece)({data, size});
    return transfer.stopped ? 0 : size;
  }
  if (transfer.on_line != nullptr && transfer.reply.status == 200)
    return give_lines(transfer, {data, size}) ? size : 0;
  if (transfer.reply.body.size() + size > kReplyBytesMax) {
    transfer.too_large = true;
    return 0;
  }
  transfer.reply.body.append(data, size);
  return size;
}

std::size_t on_read(char* data, std::size_t, std::size_t size, void* user) {
  auto* file = static_cast<std::FILE*>(user);
  const std::size_t count = std::fread(data, 1, size, file);
  return count == 0 && std::ferror(file) != 0 ? CURL_READFUNC_ABORT : count;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return (*static_cast<const std::function<bool()>*>(user))() ? 1 : 0;
}

template <typename Value>
void set(CURL* curl, CURLoption option, Value value) {
  CHECK(curl_library().easy_setopt(curl, option, value) == CURLE_OK);
}

class CurlTransport final : public Transport {
 public:
  explicit CurlTransport(Endpoint endpoint)
      : endpoint_(std::move(endpoint)), curl_(curl_library().easy_init()) {
    CHECK(curl_ != nullptr);
  }

  Result<ClientReply> send(const ClientRequest& request) override {
    Transfer transfer;
    return perform(request, transfer);
  }
  Result<ClientReply> stream(const ClientRequest& request, const Consumer& on_line) override {
    Transfer transfer;
    transfer.on_line = &on_line;
    return perform(request, transfer);
  }
  Result<ClientReply> receive(const ClientRequest& request, const Consumer& on_piece) override {
    Transfer transfer;
    transfer.on_piece = &on_piece;
    return perform(request, transfer);
  }

 private:
  Result<ClientReply> perform(const ClientRequest& request, Transfer& transfer) {
    CHECK(!busy_);  // curl refuses to transfer within a callback of the same handle
    CURL* curl = curl_.get();
    curl_library().easy_reset(curl);  // keeps the connection
    RETURN_IF_ERROR(set_address(request));
    set(curl, CURLOPT_PROXY, "");  // none, whatever the environment says
    set(curl, CURLOPT_NOSIGNAL, 1L);
    set(curl, CURLOPT_PATH_AS_IS, 1L);
    set(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(kConnectTimeout.count()));
    if (transfer.on_line == nullptr) limit_time(request);
    if (request.give_up) watch_give_up(request.give_up);
    set(curl, CURLOPT_HEADERFUNCTION, on_header);
    set(curl, CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
    set(curl, CURLOPT_WRITEFUNCTION, on_body);
    set(curl, CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
    List fields;
    for (const auto& [name, value] : request.fields) add(fields, name + ": " + value);
    if (!endpoint_.token.empty()) add(fields, "Authorization: Bearer " + endpoint_.token);
    add(fields, "Expect:");  // it costs a round trip, and who may not deploy is told before
    File file;
    RETURN_IF_ERROR(set_body(request, file));
    set(curl, CURLOPT_HTTPHEADER, fields.get());
    busy_ = true;
    const CURLcode code = curl_library().easy_perform(curl);
    busy_ = false;
    if (code != CURLE_OK && !transfer.stopped) return error_of(code, request, transfer);
    return std::move(transfer.reply);
  }

  Status set_address(const ClientRequest& request) {
    CURL* curl = curl_.get();
    std::string url = request.url;
    const bool by_tls = !endpoint_.server.empty();
    if (by_tls) {
      RETURN_IF_ERROR(check_server_url(endpoint_.server));
      CHECK(url.substr(0, kApiUrl.size()) == kApiUrl);
      url.replace(0, kApiUrl.size(), endpoint_.server);
      set_tls();
    } else if (!endpoint_.socket_path.empty()) {
      set(curl, CURLOPT_UNIX_SOCKET_PATH, endpoint_.socket_path.c_str());
    }
    set(curl, CURLOPT_PROTOCOLS_STR, by_tls ? "https" : "http");
    if (curl_library().easy_setopt(curl, CURLOPT_URL, url.c_str()) != CURLE_OK)
      return fail(ErrorCode::kInvalidArgument, "call " + url + ": not a URL");
    return ok();
  }

  // Who answers must show a certificate for that name, signed by whom we trust: there is no way
  // round it. Of a file of one's own, that file alone counts.
  void set_tls() {
    CURL* curl = curl_.get();
    set(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    set(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    set(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    words_[0] = '\0';
    set(curl, CURLOPT_ERRORBUFFER, words_.data());
    if (endpoint_.ca_file.empty()) return;
    set(curl, CURLOPT_CAINFO, endpoint_.ca_file.c_str());
    set(curl, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }

  void limit_time(const ClientRequest& request) {
    const auto seconds = static_cast<long>(request.timeout.count());
    if (request.body_file.empty()) {
      set(curl_.get(), CURLOPT_TIMEOUT, seconds);
    } else {
      set(curl_.get(), CURLOPT_LOW_SPEED_LIMIT, 1L);  // bytes a second
      set(curl_.get(), CURLOPT_LOW_SPEED_TIME, seconds);
    }
  }

  void watch_give_up(const std::function<bool()>& give_up) {
    set(curl_.get(), CURLOPT_NOPROGRESS, 0L);
    set(curl_.get(), CURLOPT_XFERINFOFUNCTION, on_progress);
    set(curl_.get(), CURLOPT_XFERINFODATA, const_cast<void*>(static_cast<const void*>(&give_up)));
  }

  static void add(List& list, const std::string& text) {
    curl_slist* grown = curl_library().slist_append(list.get(), text.c_str());
    CHECK(grown != nullptr);
    (void)list.release();
    list.reset(grown);
  }

  Status set_body(const ClientRequest& request, File& file) {
    CURL* curl = curl_.get();
    if (request.method == "HEAD") {
      set(curl, CURLOPT_NOBODY, 1L);
    } else if (!request.body_file.empty()) {
      file.reset(std::fopen(request.body_file.c_str(), "rbe"));
      if (file == nullptr)  // whatever it is, it says nothing of the node
        return fail(ErrorCode::kFailedPrecondition,
                    errno_error("open " + request.body_file).message);
      std::fseek(file.get(), 0, SEEK_END);
      const long size = std::ftell(file.get());
      std::rewind(file.get());
      set(curl, CURLOPT_UPLOAD, 1L);
      set(curl, CURLOPT_READFUNCTION, on_read);
      set(curl, CURLOPT_READDATA, static_cast<void*>(file.get()));
      set(curl, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(size));
    } else if (!request.body.empty() || request.method == "POST" || request.method == "PUT") {
      set(curl, CURLOPT_POST, 1L);
      set(curl, CURLOPT_POSTFIELDS, request.body.c_str());
      set(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    }
    set(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    return ok();
  }

  Error error_of(CURLcode code, const ClientRequest& request, const Transfer& transfer) {
    const std::string where = endpoint_.name().empty() ? request.url : endpoint_.name();
    if (transfer.too_large)
      return {ErrorCode::kResourceExhausted, "read reply of " + where + ": too large", 0};
    switch (code) {
      case CURLE_COULDNT_CONNECT:
      case CURLE_COULDNT_RESOLVE_HOST:
        return connect_error(code, where);
      case CURLE_SSL_CONNECT_ERROR:
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CACERT_BADFILE: {
        long verified = 0;
        curl_library().easy_getinfo(curl_.get(), CURLINFO_SSL_VERIFYRESULT, &verified);
        return tls_error(code, verified, words_.data(), endpoint_);
      }
      case CURLE_URL_MALFORMAT:
      case CURLE_UNSUPPORTED_PROTOCOL:
        return {ErrorCode::kInvalidArgument, "call " + request.url + ": not a URL", 0};
      case CURLE_ABORTED_BY_CALLBACK:
        return {ErrorCode::kCancelled, "call " + where + ": given up", 0};
      case CURLE_OPERATION_TIMEDOUT:
        return {ErrorCode::kDeadlineExceeded, "call " + where + ": no answer in time", 0};
      default:
        return {ErrorCode::kProtocol,
                "read reply of " + where + ": " + curl_library().easy_strerror(code), 0};
    }
  }

  Error connect_error(CURLcode code, const std::string& where) {
    long os_errno = 0;
    curl_library().easy_getinfo(curl_.get(), CURLINFO_OS_ERRNO, &os_errno);
    const bool denied = os_errno == EACCES || os_errno == EPERM;
    return {denied ? ErrorCode::kPermissionDenied : ErrorCode::kUnavailable,
            "connect to " + where + ": " +
                (os_errno != 0 ? std::strerror(static_cast<int>(os_errno))
                               : curl_library().easy_strerror(code)),
            static_cast<int>(os_errno)};
  }

  const Endpoint endpoint_;
  Curl curl_;
  std::array<char, CURL_ERROR_SIZE> words_{};
  bool busy_ = false;
};

}  // namespace

std::unique_ptr<Transport> make_curl_transport(const Endpoint& endpoint) {
  static const bool kReady = curl_library().global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  CHECK(kReady);
  return std::make_unique<CurlTransport>(endpoint);
}

}  // namespace subito::api
