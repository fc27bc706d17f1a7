import Tensors
import Testing

@Suite struct MemoryTests {
  private let shape = Shape(channels: 32, extent: Extent(depth: 2, height: 3, width: 5))

  @Test func `a pool hands a returned block out again`() {
    let pool = MemoryPool()
    for _ in 0..<10 { _ = FeatureMap(uninitialized: shape, from: pool) }
    #expect(pool.growths == 1)
  }

  @Test func `gaps side by side become one`() {
    let pool = MemoryPool()
    var blocks = (0..<5).map { _ in pool.take(16) }
    let first = blocks[1].pointer
    let growths = pool.growths
    // From both ends to the middle, so that a gap is joined below, above and on both sides.
    blocks.remove(at: 1)
    blocks.remove(at: 2)
    blocks.remove(at: 1)
    #expect(pool.take(48).pointer == first)
    #expect(pool.growths == growths)
  }

  @Test func `a block takes the smallest gap that holds it`() {
    let pool = MemoryPool()
    var blocks = [64, 16, 32, 16].map { pool.take($0) }
    let small = blocks[2].pointer
    blocks.remove(at: 2)
    blocks.remove(at: 0)
    #expect(pool.take(20).pointer == small)
  }

  @Test func `the top grows from the gap below it`() {
    let pool = MemoryPool()
    let start = pool.take(32).pointer
    #expect(pool.take(64).pointer == start)
  }

  @Test func `a shared feature map is copied before it is written`() {
    let pool = MemoryPool()
    let original = FeatureMap(zeros: shape, from: pool)
    var copy = original
    copy.mutablePointer()[0] = 1
    #expect(original[0, 0, 0, 0] == 0)
    #expect(copy[0, 0, 0, 0] == 1)
  }

  @Test func `a map of some channels reads the right block`() {
    let pool = MemoryPool()
    var map = FeatureMap(zeros: shape, from: pool)
    map.mutablePointer()[map.blockStride] = 7
    #expect(map[16, 0, 0, 0] == 7)
    #expect(map.channels(16..<32)[0, 0, 0, 0] == 7)
  }

  @Test func `each part of a split map gives its memory back alone`() {
    let pool = MemoryPool()
    var map = FeatureMap(zeros: shape, from: pool)
    map.mutablePointer()[map.blockStride] = 7
    let start = map.pointer
    var (low, high) = (consume map).split(at: 16)
    #expect(high[0, 0, 0, 0] == 7)
    #expect(low.exclusivePointer() != nil && high.exclusivePointer() != nil)
    low = FeatureMap(zeros: shape, from: pool)
    #expect(FeatureMap(uninitialized: high.shape, from: pool).pointer == start)
  }

  @Test func `a shared map is split without being copied`() {
    let pool = MemoryPool()
    let map = FeatureMap(zeros: shape, from: pool)
    let (_, high) = map.split(at: 16)
    #expect(high.pointer == map.pointer + map.blockStride)
  }

  @Test func `a shared voxel grid is copied before it is written`() {
    let original = VoxelGrid(zeros: shape)
    var copy = original
    copy.mutableChannel(1)[0] = 3
    #expect(original[1, 0, 0, 0] == 0)
    #expect(copy[1, 0, 0, 0] == 3)
  }
}
