package responses

import "reflect"

// Types are what requests are read into, by what their members begin with.
var Types = map[string]reflect.Type{
	"": reflect.TypeFor[request](), "tool.": reflect.TypeFor[tool](), "item.": reflect.TypeFor[item](), "part.": reflect.TypeFor[part](),
}
