package catalog

import "strings"

const (
	diffContext = 2       // lines that are the same and are shown around a difference
	diffCells   = 1 << 20 // of the comparison; texts that are longer are shown one after the other
)

// lineDiff shows what is different between two texts, line by line: "-" was there before, "+" is there now, and a few lines around
// are the same.
func lineDiff(before, now []string) string {
	head := 0
	for head < len(before) && head < len(now) && before[head] == now[head] {
		head++
	}
	tail := 0
	for tail < len(before)-head && tail < len(now)-head && before[len(before)-1-tail] == now[len(now)-1-tail] {
		tail++
	}
	lines := make([]string, 0, len(before)+len(now))
	for _, line := range before[:head] {
		lines = append(lines, "  "+line)
	}
	lines = append(lines, middleDiff(before[head:len(before)-tail], now[head:len(now)-tail])...)
	for _, line := range before[len(before)-tail:] {
		lines = append(lines, "  "+line)
	}
	return around(lines)
}

// middleDiff keeps the longest common subsequence.
func middleDiff(before, now []string) []string {
	var lines []string
	if len(before)*len(now) > diffCells {
		for _, line := range before {
			lines = append(lines, "- "+line)
		}
		for _, line := range now {
			lines = append(lines, "+ "+line)
		}
		return lines
	}
	width := len(now) + 1
	common := make([]int32, (len(before)+1)*width) // of what follows each pair of lines
	for i := len(before) - 1; i >= 0; i-- {
		for j := len(now) - 1; j >= 0; j-- {
			if before[i] == now[j] {
				common[i*width+j] = common[(i+1)*width+j+1] + 1
			} else {
				common[i*width+j] = max(common[(i+1)*width+j], common[i*width+j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(before) || j < len(now) {
		switch {
		case i < len(before) && j < len(now) && before[i] == now[j]:
			lines = append(lines, "  "+before[i])
			i, j = i+1, j+1
		case j == len(now) || i < len(before) && common[(i+1)*width+j] >= common[i*width+j+1]:
			lines = append(lines, "- "+before[i])
			i++
		default:
			lines = append(lines, "+ "+now[j])
			j++
		}
	}
	return lines
}

// around leaves out the lines that are far from any difference.
func around(lines []string) string {
	near := make([]bool, len(lines))
	for i, line := range lines {
		if line[0] == ' ' {
			continue
		}
		for at := max(0, i-diffContext); at <= min(len(lines)-1, i+diffContext); at++ {
			near[at] = true
		}
	}
	var out strings.Builder
	for i, line := range lines {
		switch {
		case near[i]:
			out.WriteString(line + "\n")
		case i > 0 && near[i-1]:
			out.WriteString("  …\n")
		}
	}
	return out.String()
}
