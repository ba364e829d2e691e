#include "synthetic_digit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "digit_strokes.hpp"

namespace mnist_dist::h5pack {
namespace {

// Lengths are in units of 1/28 of the image's side, as if every image were 28x28.
constexpr float kImageSide = 28.0F;
constexpr float kGlyphSide = 21.0F;
constexpr int kSegmentsPerSpan = 6;

struct Point {
  float x = 0.0F;
  float y = 0.0F;
};

struct Segment {
  Point from;
  Point to;
};

// Mean 0, variance 1, at most 3.5 either way: the sum of four uniform numbers.
float about_normal(RandomStream& random) {
  float sum = -2.0F;
  for (int i = 0; i < 4; ++i) sum += random.uniform();
  return sum * std::numbers::sqrt3_v<float>;
}

// Bends the whole plane a little, so that strokes that meet still meet.
class Warp {
 public:
  explicit Warp(RandomStream& random) {
    for (Wave& wave : waves_) {
      wave.amplitude_x = 0.02F * about_normal(random);
      wave.amplitude_y = 0.02F * about_normal(random);
      wave.frequency_x = random.uniform(-1.3F, 1.3F);
      wave.frequency_y = random.uniform(-1.3F, 1.3F);
      wave.phase = random.uniform();
    }
  }
  [[nodiscard]] Point operator()(Point point) const {
    Point bent = point;
    for (const Wave& wave : waves_) {
      const float turns = wave.frequency_x * point.x + wave.frequency_y * point.y + wave.phase;
      const float height = std::sin(2.0F * std::numbers::pi_v<float> * turns);
      bent.x += wave.amplitude_x * height;
      bent.y += wave.amplitude_y * height;
    }
    return bent;
  }

 private:
  struct Wave {
    float amplitude_x = 0.0F;
    float amplitude_y = 0.0F;
    float frequency_x = 0.0F;
    float frequency_y = 0.0F;
    float phase = 0.0F;
  };
  std::array<Wave, 3> waves_;
};

// From the glyph's unit square to the image: scaled, slanted, turned and moved.
class Placement {
 public:
  explicit Placement(RandomStream& random) {
    const float scale = random.uniform(0.88F, 1.04F) * kGlyphSide;
    const float stretch = random.uniform(0.88F, 1.14F);
    const float slant = 0.10F * about_normal(random);
    const float angle = 0.10F * about_normal(random);
    const float cosine = std::cos(angle);
    const float sine = std::sin(angle);
    const float width = scale * stretch;
    const float height = scale / stretch;
    x_by_x_ = cosine * width;
    x_by_y_ = -cosine * slant * height - sine * height;
    y_by_x_ = sine * width;
    y_by_y_ = cosine * height - sine * slant * height;
    centre_.x = kImageSide / 2 + random.uniform(-2.7F, 2.7F);
    centre_.y = kImageSide / 2 + random.uniform(-2.5F, 2.5F);
  }
  [[nodiscard]] Point operator()(Point point) const {
    const float x = point.x - 0.5F;
    const float y = point.y - 0.5F;
    return {centre_.x + x_by_x_ * x + x_by_y_ * y, centre_.y + y_by_x_ * x + y_by_y_ * y};
  }

 private:
  float x_by_x_ = 0.0F;
  float x_by_y_ = 0.0F;
  float y_by_x_ = 0.0F;
  float y_by_y_ = 0.0F;
  Point centre_;
};

// The Catmull-Rom spline from b to c, between a and d.
Point spline(Point a, Point b, Point c, Point d, float t) {
  const auto coordinate = [t](float p, float q, float r, float s) {
    return q + 0.5F * t * (r - p + t * (2 * p - 5 * q + 4 * r - s + t * (3 * (q - r) + s - p)));
  };
  return {coordinate(a.x, b.x, c.x, d.x), coordinate(a.y, b.y, c.y, d.y)};
}

// Adds a smooth line through points [first, last].
void add_curve(const std::vector<Point>& points, std::size_t first, std::size_t last, std::vector<Segment>& segments) {
  for (std::size_t i = first; i < last; ++i) {
    const Point before = points[i == first ? i : i - 1];
    const Point after = points[i + 1 == last ? i + 1 : i + 2];
    Point from = points[i];
    for (int step = 1; step <= kSegmentsPerSpan; ++step) {
      const float t = static_cast<float>(step) / kSegmentsPerSpan;
      const Point to = spline(before, points[i], points[i + 1], after, t);
      segments.push_back({from, to});
      from = to;
    }
  }
}

std::vector<Segment> write_digit(int digit, RandomStream& random) {
  const std::span<const Glyph> glyphs = glyphs_of(digit);
  const Glyph& glyph = glyphs[random.below(static_cast<std::uint32_t>(glyphs.size()))];
  const Warp warp(random);
  const Placement place(random);
  std::vector<Segment> segments;
  for (const Stroke& stroke : glyph) {
    std::vector<Point> points;
    for (const ControlPoint& point : stroke) {
      const Point moved{point.x + 0.01F * about_normal(random), point.y + 0.01F * about_normal(random)};
      points.push_back(place(warp(moved)));
    }
    std::size_t first = 0;
    for (std::size_t i = 1; i < points.size(); ++i) {
      if (!stroke[i].is_corner && i + 1 < points.size()) continue;
      add_curve(points, first, i, segments);
      first = i;
    }
  }
  return segments;
}

float squared_distance(Point point, const Segment& segment) {
  const float along_x = segment.to.x - segment.from.x;
  const float along_y = segment.to.y - segment.from.y;
  const float x = point.x - segment.from.x;
  const float y = point.y - segment.from.y;
  const float length = along_x * along_x + along_y * along_y;
  const float t = length > 0.0F ? std::clamp((x * along_x + y * along_y) / length, 0.0F, 1.0F) : 0.0F;
  const float rest_x = x - t * along_x;
  const float rest_y = y - t * along_y;
  return rest_x * rest_x + rest_y * rest_y;
}

// The pixels, along one side, whose centres lie within `reach` of the stretch from a to b: [first, last).
struct PixelRange {
  std::size_t first;
  std::size_t last;
};

PixelRange pixels_near(float a, float b, float reach, std::size_t size) {
  const float pixels_per_unit = static_cast<float>(size) / kImageSide;
  const auto to_pixel = [&](float position) {
    return static_cast<std::size_t>(std::clamp(position * pixels_per_unit, 0.0F, static_cast<float>(size)));
  };
  return {to_pixel(std::min(a, b) - reach), std::min(size, to_pixel(std::max(a, b) + reach) + 1)};
}

// Draws the segments with a round pen; where ink is already, the stronger counts. `ink` is [size x size].
void draw(const std::vector<Segment>& segments, float radius, float strength, std::size_t size,
          std::vector<float>& ink) {
  const float unit = kImageSide / static_cast<float>(size);
  const float edge = std::max(unit, 0.7F);  // how wide the line's edge is
  for (const Segment& segment : segments) {
    const PixelRange rows = pixels_near(segment.from.y, segment.to.y, radius + edge, size);
    const PixelRange columns = pixels_near(segment.from.x, segment.to.x, radius + edge, size);
    for (std::size_t row = rows.first; row < rows.last; ++row) {
      for (std::size_t column = columns.first; column < columns.last; ++column) {
        const Point centre{(static_cast<float>(column) + 0.5F) * unit, (static_cast<float>(row) + 0.5F) * unit};
        const float distance = std::sqrt(squared_distance(centre, segment));
        const float cover = std::clamp((radius - distance) / edge + 0.5F, 0.0F, 1.0F);
        float& value = ink[row * size + column];
        value = std::max(value, strength * cover);
      }
    }
  }
}

std::vector<Segment> stray_stroke(RandomStream& random) {
  std::vector<Point> points(3);
  points[0] = {random.uniform(0.0F, kImageSide), random.uniform(0.0F, kImageSide)};
  for (std::size_t i = 1; i < points.size(); ++i) {
    points[i] = {points[i - 1].x + 2.2F * about_normal(random), points[i - 1].y + 2.2F * about_normal(random)};
  }
  std::vector<Segment> segments;
  add_curve(points, 0, points.size() - 1, segments);
  return segments;
}

}  // namespace

image::Image draw_digit(int digit, std::size_t size, RandomStream& random) {
  std::vector<float> ink(size * size, 0.0F);
  const std::vector<Segment> segments = write_digit(digit, random);
  // One draw from the stream per statement: C++ leaves the order of a call's arguments open.
  const float radius = random.uniform(0.95F, 1.7F);
  const float strength = random.uniform(0.75F, 1.0F);
  draw(segments, radius, strength, size, ink);
  const std::uint32_t stray_strokes = random.below(2);
  for (std::uint32_t i = 0; i < stray_strokes; ++i) {
    const std::vector<Segment> stray = stray_stroke(random);
    const float stray_radius = random.uniform(0.4F, 0.8F);
    const float stray_strength = random.uniform(0.3F, 0.7F);
    draw(stray, stray_radius, stray_strength, size, ink);
  }
  const float noise = random.uniform(0.0F, 0.03F);
  image::Image image{size, size, 1, std::vector<std::uint8_t>(size * size)};
  for (std::size_t i = 0; i < ink.size(); ++i) {
    const float value = std::clamp(ink[i] + noise * about_normal(random), 0.0F, 1.0F);
    image.pixels[i] = static_cast<std::uint8_t>(std::lround(255.0F * value));
  }
  return image;
}

}  // namespace mnist_dist::h5pack
