Console.WriteLine("qmpd");
