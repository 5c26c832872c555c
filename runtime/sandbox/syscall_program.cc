#include "runtime/sandbox/syscall_program.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdint>
#include <map>

#include "runtime/base/check.h"
#include "runtime/sandbox/syscall_list.h"

namespace subito::sandbox {
namespace {

constexpr std::uint32_t kX32 = 0x4000'0000;  // numbers from here on are those of another ABI
constexpr std::size_t kJumpMax = 255;

enum class Half : std::uint32_t { kLower, kUpper };

// x86-64 is little-endian.
constexpr std::uint32_t offset_of(unsigned argument, Half half) {
  return static_cast<std::uint32_t>(offsetof(seccomp_data, args)) + 8 * argument +
         (half == Half::kUpper ? 4 : 0);
}

// Instructions with jumps to labels, which are placed later and resolved at the end: classic BPF
// jumps forward only.
class Assembler {
 public:
  using Label = std::size_t;

  Label make_label() {
    targets_.push_back(0);
    return targets_.size() - 1;
  }
  void place(Label label) { targets_[label] = instructions_.size(); }
  std::size_t next() const { return instructions_.size(); }

  void load(std::uint32_t offset) { add(BPF_LD | BPF_W | BPF_ABS, offset); }
  void mask(std::uint32_t bits) { add(BPF_ALU | BPF_AND | BPF_K, bits); }
  void give(std::uint32_t action) { add(BPF_RET | BPF_K, action); }
  void if_equal(std::uint32_t value, Label yes, Label no) { add(BPF_JEQ, value, yes, no); }
  void if_at_least(std::uint32_t value, Label yes, Label no) { add(BPF_JGE, value, yes, no); }

  Result<std::vector<sock_filter>> finish();

 private:
  struct Jump {
    std::size_t at;
    Label yes;
    Label no;
  };

  void add(std::uint32_t code, std::uint32_t k) {
    instructions_.push_back({static_cast<std::uint16_t>(code), 0, 0, k});
  }
  void add(std::uint32_t comparison, std::uint32_t k, Label yes, Label no) {
    jumps_.push_back({instructions_.size(), yes, no});
    add(BPF_JMP | comparison | BPF_K, k);
  }

  std::vector<sock_filter> instructions_;
  std::vector<std::size_t> targets_;  // by label
  std::vector<Jump> jumps_;
};

Result<std::vector<sock_filter>> Assembler::finish() {
  for (const Jump& jump : jumps_) {
    const std::size_t yes = targets_[jump.yes] - (jump.at + 1);
    const std::size_t no = targets_[jump.no] - (jump.at + 1);
    // A label behind the jump or never placed gives a huge number.
    if (yes > kJumpMax || no > kJumpMax) {
      return fail(ErrorCode::kInternal, "compile seccomp filter: a jump is too long");
    }
    instructions_[jump.at].jt = static_cast<std::uint8_t>(yes);
    instructions_[jump.at].jf = static_cast<std::uint8_t>(no);
  }
  return std::move(instructions_);
}

class Compiler {
 public:
  Result<SyscallProgram> compile();

 private:
  using Label = Assembler::Label;
  struct Range {
    std::uint32_t first;  // up to the first of the next one
    Label verdict;
  };

  void begin_range(std::uint32_t first, Label verdict);
  void decide_ranges();
  Label label_of(std::size_t begin, std::size_t end);
  void search(std::size_t begin, std::size_t end, Label here);
  void check_ticket();
  void check_arguments(int number, Label here);
  void check_half(const ArgumentRule& rule, Half half, Label yes, Label no);

  Assembler assembler_;
  Label allow_ = assembler_.make_label();
  Label deny_ = assembler_.make_label();
  Label unknown_ = assembler_.make_label();
  Label kill_ = assembler_.make_label();
  Label ticket_ = assembler_.make_label();
  std::map<int, Label> argument_checks_;
  std::vector<Range> ranges_;
  SyscallProgram program_;
};

void Compiler::begin_range(std::uint32_t first, Label verdict) {
  if (!ranges_.empty() && ranges_.back().first == first) ranges_.pop_back();
  if (ranges_.empty() || ranges_.back().verdict != verdict) ranges_.push_back({first, verdict});
}

void Compiler::decide_ranges() {
  std::map<int, Label> verdicts;
  for (const int number : kAllowedSyscalls) verdicts[number] = allow_;
  for (const ArgumentRule& rule : kArgumentRules) {
    if (!argument_checks_.contains(rule.number)) {
      argument_checks_[rule.number] = assembler_.make_label();
    }
    verdicts[rule.number] = argument_checks_[rule.number];
  }
  // glibc falls back to clone(2), whose flags a filter can see; clone3's are behind a pointer.
  verdicts[SYS_clone3] = unknown_;
  verdicts[SYS_execveat] = ticket_;
  begin_range(0, deny_);
  for (const auto& [number, verdict] : verdicts) {
    begin_range(static_cast<std::uint32_t>(number), verdict);
    begin_range(static_cast<std::uint32_t>(number) + 1, deny_);
  }
  begin_range(kX32, kill_);
  begin_range(~std::uint32_t{0}, deny_);  // -1 is no number of any ABI
}

Assembler::Label Compiler::label_of(std::size_t begin, std::size_t end) {
  return end - begin == 1 ? ranges_[begin].verdict : assembler_.make_label();
}

// Among the ranges [begin, end).
void Compiler::search(std::size_t begin, std::size_t end, Label here) {
  if (end - begin == 1) return;
  assembler_.place(here);
  const std::size_t middle = begin + (end - begin) / 2;
  const Label below = label_of(begin, middle);
  const Label above = label_of(middle, end);
  assembler_.if_at_least(ranges_[middle].first, above, below);
  search(begin, middle, below);
  search(middle, end, above);
}

void Compiler::check_ticket() {
  assembler_.place(ticket_);
  const Label second = assembler_.make_label();
  assembler_.load(offset_of(0, Half::kUpper));
  program_.ticket_of_dirfd = assembler_.next();
  assembler_.if_equal(0, second, kill_);
  assembler_.place(second);
  assembler_.load(offset_of(4, Half::kUpper));
  program_.ticket_of_flags = assembler_.next();
  assembler_.if_equal(0, allow_, kill_);
}

// One rule after the other, until one is met.
void Compiler::check_arguments(int number, Label here) {
  assembler_.place(here);
  for (const ArgumentRule& rule : kArgumentRules) {
    if (rule.number != number) continue;
    const Label lower = assembler_.make_label();
    const Label next = assembler_.make_label();
    check_half(rule, Half::kUpper, lower, next);
    assembler_.place(lower);
    check_half(rule, Half::kLower, allow_, next);
    assembler_.place(next);
  }
  assembler_.give(SECCOMP_RET_ERRNO | EPERM);
}

void Compiler::check_half(const ArgumentRule& rule, Half half, Label yes, Label no) {
  const unsigned shift = half == Half::kUpper ? 32 : 0;
  const auto mask = static_cast<std::uint32_t>(rule.mask >> shift);
  const auto value = static_cast<std::uint32_t>(rule.value >> shift);
  CHECK(mask != 0 || half == Half::kUpper);
  // The upper half of an int does not count; each rule asks for something of the lower one.
  if (mask == 0) return;
  assembler_.load(offset_of(rule.argument, half));
  if (mask != ~std::uint32_t{0}) assembler_.mask(mask);
  assembler_.if_equal(value, yes, no);
}

Result<SyscallProgram> Compiler::compile() {
  const Label number = assembler_.make_label();
  assembler_.load(offsetof(seccomp_data, arch));
  assembler_.if_equal(AUDIT_ARCH_X86_64, number, kill_);
  assembler_.place(number);
  assembler_.load(offsetof(seccomp_data, nr));
  decide_ranges();
  search(0, ranges_.size(), assembler_.make_label());
  check_ticket();
  for (const auto& [syscall, label] : argument_checks_) check_arguments(syscall, label);
  assembler_.place(allow_);
  assembler_.give(SECCOMP_RET_ALLOW);
  assembler_.place(deny_);
  assembler_.give(SECCOMP_RET_ERRNO | EPERM);
  assembler_.place(unknown_);
  assembler_.give(SECCOMP_RET_ERRNO | ENOSYS);
  assembler_.place(kill_);
  assembler_.give(SECCOMP_RET_KILL_PROCESS);
  ASSIGN_OR_RETURN(program_.instructions, assembler_.finish());
  return std::move(program_);
}

}  // namespace

Result<SyscallProgram> make_syscall_program() {
  return Compiler().compile();
}

}  // namespace subito::sandbox
