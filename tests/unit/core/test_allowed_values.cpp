#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>

#include "mnist_dist/core/allowed_values.hpp"

using namespace mnist_dist;

TEST_CASE("a name that is not allowed is shown with those that are") {
  const ValueCheck check = one_of({"test", "holdout"});
  CHECK(check("test").empty());
  CHECK(check("holdout").empty());
  CHECK(check("tset") == "'tset' must be one of: test, holdout (did you mean test?)");
  CHECK(check("") == "'' must be one of: test, holdout");
  CHECK(check("Te\x1b[2J\nst") == "'Te?[2J?st' must be one of: test, holdout");
}

TEST_CASE("a number that is not allowed is shown with its limits") {
  const ValueCheck check = whole_number(0, 9);
  for (const char* allowed : {"0", "5", "9"}) CHECK(check(allowed).empty());
  for (const char* wrong :
       {"-1", "10", "", "007", "-0", " 1", "1 ", "1.5", "0x1", "+1", "one", "99999999999999999999"}) {
    CAPTURE(wrong);
    CHECK(check(wrong) == std::string("'") + wrong + "' must be a whole number from 0 to 9");
  }
  CHECK(whole_number(1, std::numeric_limits<std::int64_t>::max())("9223372036854775807").empty());
}
