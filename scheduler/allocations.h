// Every `new` of a binary that links allocations.cc is counted: for those that show that a decision
// allocates nothing. For programs of one thread.
#pragma once

namespace subito::scheduler {

long allocations();  // since the program began

}  // namespace subito::scheduler
