// The program against the list it is made of: each decision, as the kernel would come to it.
#include "runtime/sandbox/syscall_program.h"

#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <set>

#include "runtime/sandbox/syscall_list.h"

namespace subito::sandbox {
namespace {

constexpr std::uint32_t kDenied = SECCOMP_RET_ERRNO | EPERM;
constexpr std::uint32_t kEnosys = SECCOMP_RET_ERRNO | ENOSYS;
constexpr int kNumberMax = 1'100;  // above the highest of Linux 6.18

// Classic BPF as seccomp(2) has it; what is not in it, or leaves the program, is a failure.
class Interpreter {
 public:
  Interpreter(const std::vector<sock_filter>& program, const seccomp_data& data)
      : program_(program) {
    static_assert(sizeof(seccomp_data) == sizeof words_);
    std::memcpy(words_, &data, sizeof words_);
  }

  std::uint32_t run() {
    std::size_t next = 0;
    while (next < program_.size()) {
      const sock_filter& step = program_[next++];
      switch (step.code) {
        case BPF_LD | BPF_W | BPF_ABS:
          accumulator_ = words_[step.k / 4];
          break;
        case BPF_ALU | BPF_AND | BPF_K:
          accumulator_ &= step.k;
          break;
        case BPF_JMP | BPF_JEQ | BPF_K:
          next += accumulator_ == step.k ? step.jt : step.jf;
          break;
        case BPF_JMP | BPF_JGE | BPF_K:
          next += accumulator_ >= step.k ? step.jt : step.jf;
          break;
        case BPF_RET | BPF_K:
          return step.k;
        default:
          ADD_FAILURE() << "instruction " << next - 1 << ": code " << step.code;
          return SECCOMP_RET_KILL_PROCESS;
      }
    }
    ADD_FAILURE() << "ran out of the program";
    return SECCOMP_RET_KILL_PROCESS;
  }

 private:
  const std::vector<sock_filter>& program_;
  std::uint32_t words_[16] = {};
  std::uint32_t accumulator_ = 0;
};

class SyscallProgramTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto program = make_syscall_program();
    ASSERT_TRUE(program.has_value()) << program.error().message;
    program_ = *std::move(program);
    program_.instructions[program_.ticket_of_dirfd].k = kOfDirfd;
    program_.instructions[program_.ticket_of_flags].k = kOfFlags;
  }

  static seccomp_data call(int number) {
    seccomp_data data{};
    data.nr = number;
    data.arch = AUDIT_ARCH_X86_64;
    return data;
  }
  static seccomp_data call(int number, unsigned argument, std::uint64_t value) {
    seccomp_data data = call(number);
    data.args[argument] = value;
    return data;
  }
  std::uint32_t decide(const seccomp_data& data) const {
    return Interpreter(program_.instructions, data).run();
  }
  static bool has_argument_rule(int number) {
    return std::any_of(std::begin(kArgumentRules), std::end(kArgumentRules),
                       [&](const ArgumentRule& rule) { return rule.number == number; });
  }

  static constexpr std::uint32_t kOfDirfd = 0x1234'5678;
  static constexpr std::uint32_t kOfFlags = 0x9abc'def0;
  SyscallProgram program_;
};

TEST_F(SyscallProgramTest, AllowsWhatIsListedAndNothingElse) {
  const std::set<int> listed(std::begin(kAllowedSyscalls), std::end(kAllowedSyscalls));
  for (int number = 0; number <= kNumberMax; ++number) {
    if (has_argument_rule(number) || number == SYS_execveat) continue;
    const std::uint32_t expected = listed.contains(number) ? SECCOMP_RET_ALLOW
                                   : number == SYS_clone3  ? kEnosys
                                                           : kDenied;
    EXPECT_EQ(decide(call(number)), expected) << "call " << number;
    EXPECT_EQ(decide(call(number, 0, ~std::uint64_t{0})), expected) << "call " << number;
  }
}

// Each rule's own value, and that with every single bit turned, in the argument it looks at.
TEST_F(SyscallProgramTest, ArgumentsAreAllowedAsTheRulesSay) {
  const auto expected = [](const seccomp_data& data) {
    const bool met = std::any_of(
        std::begin(kArgumentRules), std::end(kArgumentRules), [&](const ArgumentRule& rule) {
          return rule.number == data.nr && (data.args[rule.argument] & rule.mask) == rule.value;
        });
    return met ? std::uint32_t{SECCOMP_RET_ALLOW} : kDenied;
  };
  for (const ArgumentRule& rule : kArgumentRules) {
    const seccomp_data meets = call(rule.number, rule.argument, rule.value);
    EXPECT_EQ(decide(meets), std::uint32_t{SECCOMP_RET_ALLOW}) << "call " << rule.number;
    for (unsigned bit = 0; bit < 64; ++bit) {
      const std::uint64_t value = rule.value ^ std::uint64_t{1} << bit;
      const seccomp_data turned = call(rule.number, rule.argument, value);
      EXPECT_EQ(decide(turned), expected(turned)) << "call " << rule.number << " bit " << bit;
    }
    for (const std::uint64_t value : {std::uint64_t{0}, ~std::uint64_t{0}, kLowBits, ~kLowBits}) {
      const seccomp_data data = call(rule.number, rule.argument, value);
      EXPECT_EQ(decide(data), expected(data)) << "call " << rule.number << " with " << value;
    }
  }
}

TEST_F(SyscallProgramTest, ExecNeedsTheWholeTicket) {
  const auto exec = [](std::uint64_t of_dirfd, std::uint64_t of_flags) {
    seccomp_data data = call(SYS_execveat);
    data.args[0] = of_dirfd << 32 | 6;
    data.args[4] = of_flags << 32 | 0x1000;
    return data;
  };
  EXPECT_EQ(decide(exec(kOfDirfd, kOfFlags)), std::uint32_t{SECCOMP_RET_ALLOW});
  for (unsigned bit = 0; bit < 32; ++bit) {
    EXPECT_EQ(decide(exec(kOfDirfd ^ 1U << bit, kOfFlags)), SECCOMP_RET_KILL_PROCESS);
    EXPECT_EQ(decide(exec(kOfDirfd, kOfFlags ^ 1U << bit)), SECCOMP_RET_KILL_PROCESS);
  }
  EXPECT_EQ(decide(exec(0, 0)), SECCOMP_RET_KILL_PROCESS);
  EXPECT_EQ(decide(call(SYS_execve)), kDenied);
}

TEST_F(SyscallProgramTest, OtherArchitecturesAreTheEnd) {
  for (const std::uint32_t arch : {std::uint32_t{AUDIT_ARCH_I386}, AUDIT_ARCH_AARCH64, 0U}) {
    seccomp_data data = call(SYS_read);
    data.arch = arch;
    EXPECT_EQ(decide(data), SECCOMP_RET_KILL_PROCESS);
  }
  constexpr int kX32 = 0x4000'0000;
  for (const int number : {kX32, kX32 + SYS_read, kX32 + 512, -2}) {
    EXPECT_EQ(decide(call(number)), SECCOMP_RET_KILL_PROCESS) << number;
  }
  EXPECT_EQ(decide(call(kX32 - 1)), kDenied);
  EXPECT_EQ(decide(call(-1)), kDenied);
}

// What a start pays for.
TEST_F(SyscallProgramTest, IsShort) {
  EXPECT_LT(program_.instructions.size(), 200U);
}

}  // namespace
}  // namespace subito::sandbox
