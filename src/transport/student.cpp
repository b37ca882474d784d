#include "transport/student.hpp"

#include <array>

#include "qheat/parallel/error.hpp"

namespace qheat {

double student(std::size_t degrees) {
  constexpr std::array<double, 10> kTable = {12.71, 4.303, 3.182, 2.776, 2.571,
                                             2.447, 2.365, 2.306, 2.262, 2.228};
  constexpr double kMore = 1.1;
  QHEAT_ASSERT(degrees > 0);
  return kMore * (degrees <= kTable.size() ? kTable[degrees - 1] : 1.96 + 2.7 / static_cast<double>(degrees));
}

}  // namespace qheat
