#include "digit_strokes.hpp"

namespace mnist_dist::h5pack {
namespace {

constexpr bool kCorner = true;

// clang-format off
const std::array<std::vector<Glyph>, 10>& all_glyphs() {
  static const std::array<std::vector<Glyph>, 10> glyphs = {{
    {  // 0: round; narrow; begun inside, so that the ends cross; not quite closed
      {{{.50F, .10F}, {.29F, .24F}, {.22F, .50F}, {.29F, .77F},
         {.50F, .90F}, {.71F, .77F}, {.78F, .50F}, {.71F, .24F}, {.50F, .10F}}},
      {{{.52F, .10F}, {.38F, .26F}, {.33F, .52F}, {.38F, .78F},
         {.50F, .90F}, {.62F, .76F}, {.67F, .48F}, {.62F, .24F}, {.52F, .10F}}},
      {{{.58F, .22F}, {.44F, .11F}, {.28F, .26F}, {.22F, .54F}, {.32F, .82F},
         {.54F, .89F}, {.74F, .70F}, {.76F, .40F}, {.62F, .16F}, {.40F, .16F}}},
      {{{.44F, .13F}, {.27F, .30F}, {.23F, .58F}, {.34F, .84F},
         {.56F, .88F}, {.74F, .68F}, {.77F, .40F}, {.66F, .18F}, {.54F, .12F}}},
    },
    {  // 1: a line; with a flag; with a flag and a foot; leaning
      {{{.50F, .10F}, {.50F, .50F}, {.50F, .90F}}},
      {{{.33F, .30F}, {.53F, .10F, kCorner}, {.52F, .50F}, {.51F, .90F}}},
      {{{.32F, .28F}, {.52F, .11F, kCorner}, {.51F, .88F}}, {{.30F, .89F}, {.72F, .88F}}},
      {{{.60F, .10F}, {.52F, .45F}, {.42F, .90F}}},
    },
    {  // 2: with a corner; with a loop; with a straight neck; like a Z with a round head
      {{{.24F, .30F}, {.34F, .13F}, {.56F, .10F}, {.73F, .25F}, {.65F, .48F},
         {.42F, .70F}, {.22F, .89F, kCorner}, {.50F, .88F}, {.79F, .87F}}},
      {{{.27F, .26F}, {.42F, .11F}, {.64F, .14F}, {.70F, .34F}, {.56F, .58F},
         {.36F, .80F}, {.22F, .86F}, {.21F, .74F}, {.36F, .72F}, {.54F, .85F}, {.80F, .84F}}},
      {{{.28F, .18F}, {.50F, .10F}, {.70F, .20F}, {.70F, .38F}, {.48F, .62F}, {.25F, .88F, kCorner}, {.76F, .90F}}},
      {{{.22F, .22F}, {.46F, .11F}, {.72F, .16F}, {.70F, .34F}, {.24F, .86F, kCorner}, {.48F, .80F}, {.78F, .88F}}},
    },
    {  // 3: round; flat on top; without a waist point; small head
      {{{.27F, .20F}, {.45F, .10F}, {.68F, .18F}, {.67F, .37F},
         {.45F, .48F, kCorner}, {.69F, .56F}, {.74F, .76F}, {.52F, .90F}, {.24F, .81F}}},
      {{{.25F, .12F}, {.72F, .12F, kCorner}, {.45F, .43F, kCorner},
         {.70F, .53F}, {.73F, .77F}, {.48F, .90F}, {.23F, .81F}}},
      {{{.28F, .15F}, {.52F, .10F}, {.70F, .24F}, {.56F, .44F},
         {.52F, .48F}, {.70F, .60F}, {.71F, .80F}, {.48F, .90F}, {.25F, .84F}}},
      {{{.34F, .18F}, {.50F, .11F}, {.62F, .22F}, {.48F, .40F, kCorner},
         {.73F, .50F}, {.76F, .74F}, {.54F, .90F}, {.26F, .82F}}},
    },
    {  // 4: open; closed; open with a round elbow; in one go
      {{{.30F, .12F}, {.24F, .54F, kCorner}, {.80F, .52F}}, {{.66F, .12F}, {.62F, .50F}, {.60F, .90F}}},
      {{{.62F, .90F}, {.62F, .10F, kCorner}, {.20F, .62F, kCorner}, {.82F, .62F}}},
      {{{.34F, .12F}, {.26F, .36F}, {.28F, .52F}, {.44F, .55F}, {.68F, .48F}},
        {{.70F, .14F}, {.68F, .50F}, {.66F, .90F}}},
      {{{.40F, .10F}, {.22F, .54F, kCorner}, {.80F, .55F}}, {{.58F, .32F}, {.56F, .90F}}},
    },
    {  // 5: in one go; roof drawn apart; round; with a wide belly
      {{{.73F, .11F}, {.33F, .12F, kCorner}, {.29F, .45F, kCorner},
         {.52F, .41F}, {.72F, .53F}, {.73F, .75F}, {.50F, .90F}, {.25F, .82F}}},
      {{{.34F, .14F}, {.30F, .45F, kCorner}, {.54F, .43F}, {.70F, .58F}, {.68F, .80F}, {.46F, .90F}, {.24F, .84F}},
        {{.34F, .14F}, {.76F, .10F}}},
      {{{.70F, .12F}, {.44F, .13F}, {.33F, .28F}, {.40F, .43F},
         {.62F, .52F}, {.69F, .70F}, {.54F, .88F}, {.27F, .85F}}},
      {{{.76F, .14F}, {.42F, .11F, kCorner}, {.30F, .40F, kCorner},
         {.58F, .36F}, {.78F, .56F}, {.68F, .82F}, {.42F, .90F}, {.20F, .78F}}},
    },
    {  // 6: round; straight back; small loop; wide open
      {{{.66F, .11F}, {.42F, .25F}, {.28F, .54F}, {.32F, .82F},
         {.52F, .90F}, {.71F, .76F}, {.66F, .57F}, {.46F, .53F}, {.30F, .68F}}},
      {{{.50F, .10F}, {.34F, .42F}, {.29F, .72F}, {.44F, .90F},
         {.64F, .80F}, {.62F, .60F}, {.44F, .58F}, {.32F, .72F}}},
      {{{.56F, .10F}, {.38F, .32F}, {.30F, .62F}, {.36F, .84F},
         {.52F, .89F}, {.62F, .78F}, {.54F, .66F}, {.38F, .72F}}},
      {{{.74F, .20F}, {.54F, .12F}, {.34F, .30F}, {.25F, .60F}, {.36F, .86F},
         {.60F, .89F}, {.76F, .70F}, {.62F, .52F}, {.40F, .56F}, {.28F, .70F}}},
    },
    {  // 7: plain; crossed; with a serif; round at the top
      {{{.22F, .14F}, {.77F, .13F, kCorner}, {.56F, .50F}, {.43F, .90F}}},
      {{{.22F, .14F}, {.76F, .13F, kCorner}, {.58F, .50F}, {.46F, .90F}}, {{.36F, .50F}, {.72F, .47F}}},
      {{{.24F, .28F}, {.25F, .13F, kCorner}, {.75F, .12F, kCorner}, {.50F, .48F}, {.40F, .90F}}},
      {{{.24F, .20F}, {.44F, .11F}, {.70F, .14F}, {.71F, .32F}, {.58F, .60F}, {.52F, .90F}}},
    },
    {  // 8: crossing in the middle, begun on the right; two rings; begun in the middle; small head
      {{{.68F, .20F}, {.50F, .10F}, {.32F, .20F}, {.36F, .38F}, {.52F, .49F}, {.69F, .62F},
         {.70F, .80F}, {.50F, .90F}, {.30F, .80F}, {.32F, .62F}, {.50F, .49F}, {.65F, .37F}, {.68F, .20F}}},
      {{{.50F, .10F}, {.33F, .20F}, {.34F, .39F}, {.50F, .47F}, {.66F, .39F}, {.67F, .20F}, {.50F, .10F}},
        {{.50F, .47F}, {.29F, .58F}, {.28F, .79F}, {.50F, .90F}, {.72F, .79F}, {.71F, .58F}, {.50F, .47F}}},
      {{{.46F, .46F}, {.32F, .30F}, {.42F, .13F}, {.62F, .13F}, {.66F, .30F},
         {.46F, .52F}, {.30F, .72F}, {.42F, .89F}, {.62F, .87F}, {.68F, .70F}, {.50F, .50F}}},
      {{{.58F, .16F}, {.46F, .11F}, {.38F, .22F}, {.46F, .36F}, {.64F, .54F}, {.72F, .74F},
         {.54F, .90F}, {.32F, .80F}, {.38F, .58F}, {.56F, .40F}, {.62F, .26F}, {.58F, .16F}}},
    },
    {  // 9: straight leg; curled leg; round back; small head
      {{{.70F, .26F}, {.54F, .11F}, {.34F, .20F}, {.30F, .40F}, {.48F, .52F},
         {.66F, .40F}, {.70F, .22F, kCorner}, {.67F, .56F}, {.64F, .90F}}},
      {{{.69F, .28F}, {.53F, .11F}, {.33F, .20F}, {.31F, .42F}, {.50F, .50F},
         {.68F, .36F}, {.70F, .24F, kCorner}, {.71F, .60F}, {.60F, .85F}, {.34F, .86F}}},
      {{{.66F, .18F}, {.46F, .12F}, {.31F, .28F}, {.40F, .47F},
         {.60F, .42F}, {.70F, .24F}, {.69F, .48F}, {.60F, .72F}, {.46F, .90F}}},
      {{{.62F, .22F}, {.50F, .12F}, {.39F, .23F}, {.46F, .38F},
         {.60F, .30F}, {.64F, .18F, kCorner}, {.61F, .52F}, {.56F, .90F}}},
    },
  }};
  return glyphs;
}
// clang-format on

}  // namespace

std::span<const Glyph> glyphs_of(int digit) {
  return all_glyphs()[static_cast<std::size_t>(digit)];
}

}  // namespace mnist_dist::h5pack
