#include "qheat/model/counter_random.hpp"

#include <cmath>
#include <numbers>

namespace qheat {
namespace {

double open_unit(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t mantissa = ((static_cast<std::uint64_t>(high) << 32) | low) >> 12;  // 52 bits
  return (static_cast<double>(mantissa) + 0.5) * 0x1.0p-52;
}

}  // namespace

CounterRandom::Counter CounterRandom::bits(Counter counter) const {
  auto key0 = static_cast<std::uint32_t>(seed_);
  auto key1 = static_cast<std::uint32_t>(seed_ >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = 0xD2511F53ULL * counter[0];
    const std::uint64_t product1 = 0xCD9E8D57ULL * counter[2];
    counter = {
        static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key0, static_cast<std::uint32_t>(product1),
        static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key1, static_cast<std::uint32_t>(product0)};
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  return counter;
}

double CounterRandom::uniform(Counter counter) const {
  const Counter random = bits(counter);
  return open_unit(random[0], random[1]);
}

double CounterRandom::normal(Counter counter) const {
  const Counter random = bits(counter);
  const double radius = std::sqrt(-2.0 * std::log(open_unit(random[0], random[1])));
  return radius * std::cos(2.0 * std::numbers::pi * open_unit(random[2], random[3]));
}

double CounterRandom::lorentzian(Counter counter) const {
  return std::tan(std::numbers::pi * (uniform(counter) - 0.5));
}

std::complex<double> CounterRandom::complex_normal(Counter counter) const {
  const Counter random = bits(counter);
  const double radius = std::sqrt(-std::log(open_unit(random[0], random[1])));
  return std::polar(radius, 2.0 * std::numbers::pi * open_unit(random[2], random[3]));
}

}  // namespace qheat
