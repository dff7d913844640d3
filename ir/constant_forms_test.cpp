#include "ir/constant_forms.h"

#include <gtest/gtest.h>

namespace burnish {
namespace {

class Forms : public ::testing::Test {
 protected:
  /// How many have been made once this one is there.
  int made(const Tensor& from, const std::string& form) {
    forms.find({from}, form, [&] {
      ++count;
      return from;
    });
    return count;
  }
  ConstantForms forms;
  int count = 0;
  const Tensor wide = Tensor::zeros(DType::f32, {2, 6});
};

TEST_F(Forms, OneOfATensorIsMadeOnce) {
  EXPECT_EQ(made(wide, "rows"), 1);
  EXPECT_EQ(made(wide, "rows"), 1);
  EXPECT_EQ(made(wide, "columns"), 2);
}

TEST_F(Forms, TensorsOfTheSameBytesAreNotOneTensor) {
  EXPECT_EQ(made(wide, "rows"), 1);
  EXPECT_EQ(made(Tensor(DType::f32, {6, 2}, wide.storage()), "rows"), 2);
  EXPECT_EQ(made(Tensor(DType::i32, {2, 6}, wide.storage()), "rows"), 3);
  EXPECT_EQ(made(Tensor::zeros(DType::f32, {2, 6}), "rows"), 4);
}

TEST_F(Forms, WhatIsFoundIsWhatWasMade) {
  const Tensor form = Tensor::zeros(DType::f32, {3});
  forms.find({wide}, "form", [&] { return form; });
  EXPECT_EQ(forms.find({wide}, "form", [] { return Tensor(); }).storage(), form.storage());
}

}  // namespace
}  // namespace burnish
