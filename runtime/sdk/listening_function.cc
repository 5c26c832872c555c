#include "runtime/sdk/listening_function.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "runtime/base/check.h"
#include "runtime/sdk/listen_environment.h"

namespace subito::sdk {
namespace {

constexpr int kPatienceMs = 20'000;

bool wait_readable(int fd) {
  pollfd watched = {fd, POLLIN, 0};
  return ::poll(&watched, 1, kPatienceMs) > 0;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

std::string HttpAnswer::header(const std::string& name) const {
  const auto* value = http::find_field(fields, name);
  return value != nullptr ? *value : std::string();
}

HttpConnection& HttpConnection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) break;  // reading tells
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return *this;
}

HttpAnswer HttpConnection::read(bool to_head) {
  HttpAnswer answer;
  if (to_head) parser_.expect_no_body();
  for (;;) {
    std::string_view input = pending_;
    const auto event = parser_.next(input);
    if (event == http::Event::kHead) {
      answer.status = parser_.head().status;
      answer.fields = parser_.head().fields;
      std::erase_if(answer.fields, [](const auto& field) {
        return field.first == "date" || field.first == "server" || field.first == "connection";
      });
    } else if (event == http::Event::kBody) {
      answer.body += parser_.body();
    }
    pending_.erase(0, pending_.size() - input.size());
    if (event == http::Event::kEnd) {
      answer.complete = true;
      return answer;
    }
    if (event == http::Event::kRejected) return answer;
    if (event != http::Event::kMore) continue;
    char bytes[64 << 10];
    const ssize_t count = wait_readable(fd_.get()) ? ::recv(fd_.get(), bytes, sizeof bytes, 0) : -1;
    if (count <= 0) {
      answer.complete = count == 0 && parser_.finish() == http::Event::kEnd;
      return answer;
    }
    pending_.append(bytes, static_cast<std::size_t>(count));
  }
}

HttpAnswer HttpConnection::ask(const std::string& method, const std::string& target,
                               const std::string& body, const http::Fields& fields) {
  std::string text = method + " " + target + " HTTP/1.1\r\nhost: test\r\n";
  for (const auto& [name, value] : fields) text += name + ": " + value + "\r\n";
  if (!body.empty()) text += "content-length: " + std::to_string(body.size()) + "\r\n";
  return write(text + "\r\n" + body).read(method == "HEAD");
}

bool HttpConnection::at_end() {
  char byte = 0;
  return pending_.empty() && wait_readable(fd_.get()) && ::recv(fd_.get(), &byte, 1, 0) <= 0;
}

ListeningFunction::ListeningFunction(const std::string& function,
                                     std::vector<std::string> environment,
                                     std::vector<std::string> arguments,
                                     const std::string& address) {
  const std::string path = std::string(SUBITO_FUNCTIONS_DIR) + "/" + function;
  arguments.insert(arguments.begin(), {path, "--listen", address});
  int output[2];
  CHECK(::pipe2(output, O_CLOEXEC) == 0);
  output_.reset(output[0]);
  const UniqueFd theirs(output[1]);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), 1);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  const int error = ::posix_spawn(&pid_, path.c_str(), &actions, nullptr,
                                  pointers(arguments).data(), pointers(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  EXPECT_EQ(error, 0) << "start " << path << ": " << std::strerror(error);
  std::string line;
  for (char c = 0;
       wait_readable(output_.get()) && ::read(output_.get(), &c, 1) == 1 && c != '\n';) {
    line += c;
  }
  const auto at = line.find(" listens on ");
  EXPECT_NE(at, std::string::npos) << line;
  if (at != std::string::npos) url_ = line.substr(at + 12);
}

ListeningFunction::~ListeningFunction() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

HttpConnection ListeningFunction::connect() const {
  auto fd = begin_connect(parse_endpoint(url_).value());
  CHECK(fd.has_value());
  pollfd watched = {fd->get(), POLLOUT, 0};
  EXPECT_EQ(::poll(&watched, 1, kPatienceMs), 1);
  ::fcntl(fd->get(), F_SETFL, ::fcntl(fd->get(), F_GETFL) & ~O_NONBLOCK);
  return HttpConnection(*std::move(fd));
}

void ListeningFunction::terminate() {
  ::kill(pid_, SIGTERM);
}

int ListeningFunction::wait_exit() {
  const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!wait_readable(process.get())) {
    ADD_FAILURE() << "the function does not end";
    ::kill(pid_, SIGKILL);
  }
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return status;
}

}  // namespace subito::sdk
