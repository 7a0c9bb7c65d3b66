using Qmp.Schema.Parsing;

namespace Qmp.Schema.Model;

/// <summary>When something of the schema exists: a term over configuration symbols.</summary>
internal static class Condition
{
    /// <summary>Checks the syntax of a condition and says whether it holds.</summary>
    /// <param name="condition">A symbol, or an object with <c>all</c>, <c>any</c> or <c>not</c>.</param>
    /// <param name="defined">Symbols that are defined.</param>
    public static bool Evaluate(SchemaValue condition, ISet<string> defined)
    {
        switch (condition)
        {
            case SchemaString symbol:
                if (!IsSymbol(symbol.Text))
                {
                    throw new SchemaException(symbol.Location, $"'{symbol.Text}' is not a configuration symbol");
                }

                return defined.Contains(symbol.Text);
            case SchemaObject { Members: [var term] } when term.Key == "not":
                return !Evaluate(term.Value, defined);
            case SchemaObject { Members: [{ Value: SchemaList { Items: { Count: > 0 } items } } term] } when term.Key is "all" or "any":
                var holds = items.Select(item => Evaluate(item, defined)).ToList(); // each is checked
                return term.Key == "all" ? holds.All(h => h) : holds.Any(h => h);
            default:
                throw new SchemaException(condition.Location, "a condition is a symbol, { 'not': ... }, { 'all': [ ... ] } or { 'any': [ ... ] }");
        }
    }

    private static bool IsSymbol(string text) =>
        text.Length > 0 && (char.IsLetter(text[0]) || text[0] == '_') && text.All(c => char.IsLetterOrDigit(c) || c == '_');
}
